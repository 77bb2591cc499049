import { activeHealthCheck, type StackManifest } from './manifest.ts';
import { invalid, placeIn } from './shape.ts';

/** How many dependencies may hang on one another. */
const longestChain = 10;

type Services = StackManifest['services'];

/** Checks the graph: targets exist, nobody waits for himself or for a health that nobody reports, no cycle, no long chain. */
export function checkDependencies(services: Services): void {
  for (const [name, { dependsOn }] of services) {
    for (const [target, condition] of dependsOn) {
      const place = placeIn(placeIn(placeIn('services', name), 'depends_on'), target);
      const service = services.get(target);
      if (target === name) throw invalid(place, 'a service cannot depend on itself');
      if (service === undefined) throw invalid(place, `there is no service of that name`);
      if (condition === 'service_healthy' && activeHealthCheck(service) === undefined)
        throw invalid(place, `service_healthy needs an active health_check on ${JSON.stringify(target)}`);
    }
  }
  const known = new Map<string, number>();
  for (const name of services.keys()) chainFrom(services, name, [], known);
}

/** The longest chain that begins here, in edges. The walk never goes deeper than a chain may be long. */
function chainFrom(
  services: Services,
  name: string,
  path: readonly string[],
  known: Map<string, number>,
): number {
  const place = placeIn(placeIn('services', path[0] ?? name), 'depends_on');
  if (path.includes(name)) {
    const cycle = [...path.slice(path.indexOf(name)), name].join(' -> ');
    throw invalid(place, `the dependencies form a cycle: ${cycle}`);
  }
  const already = known.get(name);
  let longest = already ?? 0;
  if (path.length + longest > longestChain)
    throw invalid(place, `a chain of more than ${longestChain} dependencies begins here`);
  if (already !== undefined) return already;
  for (const target of services.get(name)?.dependsOn.keys() ?? [])
    longest = Math.max(longest, 1 + chainFrom(services, target, [...path, name], known));
  known.set(name, longest);
  return longest;
}

/** Services in an order in which every one comes after those that it waits for; equals in ascending order of names. */
export function startOrder(services: Services): readonly string[] {
  const order = new Set<string>();
  const visit = (name: string): void => {
    if (order.has(name)) return;
    for (const target of [...(services.get(name)?.dependsOn.keys() ?? [])].sort()) visit(target);
    order.add(name);
  };
  for (const name of [...services.keys()].sort()) visit(name);
  return [...order];
}
