/** Everything that `npm run bench` can measure. */
import { eventToMap } from './anchord/event-to-map.ts';
import { footprint } from './anchord/footprint.ts';
import { lan } from './anchord/lan.ts';
import { recreate } from './anchord/recreate.ts';
import { repair } from './anchord/repair.ts';
import { burst } from './backend/burst.ts';
import { machine } from './backend/machine.ts';
import { page } from './backend/page.ts';
import { reads } from './backend/reads.ts';
import { recovery } from './backend/recovery.ts';
import { storesCommit, storesPage } from './backend/stores.ts';
import { volumes } from './backend/volumes.ts';
import type { BenchCase } from './harness/bench-case.ts';
import { mapReplace } from './kernel/map-replace.ts';
import { routeReplace } from './kernel/route-replace.ts';
import { wakeUp } from './kernel/wake-up.ts';
import { memory } from './memory/memory.ts';

export const cases: readonly BenchCase[] = [
  mapReplace,
  routeReplace,
  wakeUp,
  memory,
  eventToMap,
  repair,
  recreate,
  lan,
  footprint,
  volumes,
  machine,
  page,
  burst,
  recovery,
  reads,
  storesCommit,
  storesPage,
];
