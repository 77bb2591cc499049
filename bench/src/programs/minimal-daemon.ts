/** The least that every daemon of ours is: configuration, log, metrics, health listener, a timer, an orderly end. */
import { every, sleep, systemClock, untilAborted } from '@berth/service';
import {
  configOf,
  duration,
  integer,
  oneOf,
  optional,
  readEnvironment,
  schema,
  text,
} from '@berth/service/config';
import { daemonPages, Health, serve } from '@berth/service/http';
import { runDaemon } from '@berth/service/lifecycle';
import { createLog, message, stdoutSink } from '@berth/service/log';
import { counter, Registry } from '@berth/service/metrics';

const settings = schema({
  title: 'Minimal daemon',
  about: 'What is measured.',
  fields: {
    logLevel: optional('BENCH_LOG_LEVEL', oneOf(['debug', 'info', 'warn', 'error']), {
      default: 'info',
      about: 'Level.',
    }),
    address: optional('BENCH_ADDR', text(), { default: '127.0.0.1:0', about: 'Where to listen.' }),
    everyMs: optional('BENCH_EVERY', duration({ range: 'positive' }), {
      default: 1_000,
      about: 'Pause of the timer.',
    }),
    rounds: optional('BENCH_ROUNDS', integer({ min: 0 }), {
      default: 0,
      about: 'How often a list of a hundred containers is read before the daemon says that it is ready.',
    }),
  },
});

/** What Docker answers about a hundred containers, about as long as it really is. */
function listOfContainers(round: number): string {
  const containers = Array.from({ length: 100 }, (_, index) => ({
    Id: `${round}-${index}`.padEnd(64, '0'),
    Names: [`/project-service-${index}`],
    Image: 'registry.example.net/team/service:1.2.3',
    Labels: Object.fromEntries(
      Array.from({ length: 15 }, (_, label) => [`com.example.label-${label}`, `value-${index}`]),
    ),
    NetworkSettings: {
      Networks: { transit: { IPAddress: `172.20.0.${index}`, MacAddress: '02:42:ac:14:00:05' } },
    },
  }));
  return JSON.stringify(containers);
}

async function work(rounds: number, signal: AbortSignal): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const list: readonly { readonly Id: string; readonly Names: readonly string[] }[] = JSON.parse(
      listOfContainers(round),
    );
    const byName = new Map(list.map(({ Id, Names }) => [Names[0], Id]));
    log.debug('listed', { containers: byName.size });
    await sleep(systemClock, 10, signal);
  }
}

const ready = message('info', 'ready', ['addr'], 'The daemon is up.');
const log = createLog({ sink: stdoutSink() });
// Whoever started us is gone when our input ends.
process.stdin.on('end', () => process.exit(0)).resume();

await runDaemon({ name: 'minimal', log }, async ({ scope }) => {
  const [config] = configOf(readEnvironment(settings, process.env));
  log.setLevel(config.logLevel);
  const registry = new Registry((err) => log.error('collector failed', { err }));
  const metrics = registry.add({ ticks: counter('bench_ticks_total', 'Ticks of the timer.') });
  const health = new Health(
    { ticking: { title: 'The timer ticks', severity: 'error', readiness: 'latched' } },
    systemClock,
  );
  const addr = await serve(scope, {
    address: config.address,
    pages: daemonPages(registry, health),
    log,
    clock: systemClock,
  });
  every(scope, {
    name: 'tick',
    clock: systemClock,
    everyMs: config.everyMs,
    atOnce: true,
    onError: (err) => log.error('tick failed', { err }),
    run: async () => {
      metrics.ticks.inc();
      health.right('ticking');
    },
  });
  await work(config.rounds, scope.signal);
  log.say(ready, { addr });
  await untilAborted(scope.signal);
  return 0;
});
