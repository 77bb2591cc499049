/** The checks as a page of the reference. For scripts; no program loads it. */
import { type CheckCode, checkCodes, checkTable } from './table.ts';

interface Story {
  /** What somebody notices who does not know yet what it is. */
  readonly sight: string;
  /** What anchord does about it by itself. */
  readonly deed: string;
  readonly fix?: string;
}

/** Where nothing else is said: it is told, and nothing more. */
const told = 'Says so in the log and in `/readyz`, and looks again at every poll.';

const stories: Readonly<Partial<Record<CheckCode, Story>>> = {
  'docker-unreachable': {
    sight: 'New containers get no port; what ran before goes on running.',
    deed: 'Keeps the last state in the kernel, tries again every two seconds, and takes everything in afresh when Docker is back. At its start it needs Docker: then it ends with exit code 1 and the restart policy tries again.',
  },
  'docker-permission': {
    sight: 'One feature does nothing, and everything else works. The log has `docker refuses a request`.',
    deed: 'Goes on without that feature, and notices by itself when the request is allowed.',
  },
  'event-stream': {
    sight: 'A container that was made anew is reached only after up to `ANCHORD_POLL_INTERVAL`.',
    deed: 'Looks at everything at every poll, and opens the stream again.',
  },
  clock: { sight: 'Log lines of two machines do not fit together.', deed: 'Nothing: it is only looked at.' },
  'process-silent': {
    sight: '`anchord status` ends with exit code 3; the container is unhealthy.',
    deed: 'Nothing can be done from the inside. The kernel goes on as it is: no packet passes through the process.',
  },
  'external-network': {
    sight: 'Nobody on the LAN reaches the project, or the container does not start any more.',
    deed: 'Nothing: the network belongs to you.',
  },
  'external-interface': {
    sight: 'Nobody on the LAN reaches the project.',
    deed: 'Uses the interface again as soon as it is back.',
  },
  'no-external-address': {
    sight: 'Nobody on the LAN reaches the project.',
    deed: 'With DHCP it keeps asking. An address that somebody else has is given back to the server.',
  },
  'no-lease': {
    sight:
      'The project has the address from Docker instead of the one from DHCP, or none. `anchord_dhcp_lease_remaining_seconds` is 0.',
    deed: 'Keeps asking, with pauses of up to `ANCHORD_DHCP_BACKOFF_MAX`. An address that is still good stays until its lease ends.',
  },
  'gateway-unknown': {
    sight: 'Clients on the LAN get through, and clients beyond the router do not.',
    deed: 'Leaves the default route as Docker chose it, and asks again every 30 seconds.',
  },
  'gateway-unresolved': {
    sight: 'A service-anchor does not get ready; the log has `gateway DNS lookup failed`.',
    deed: 'Leaves the routes as they are, and asks again at every interval.',
  },
  'gateway-silent': {
    sight: 'Clients on the LAN get through, clients beyond the router do not, and nothing gets out.',
    deed: 'Nothing: only the doctor asks the gateway.',
  },
  'default-route': {
    sight: 'Connections from beyond the router hang, or die after a while.',
    deed: 'Sees a changed route at once and puts it right; `anchord status` lists the repair.',
    fix: 'Sets the route.',
  },
  'default-route-refused': {
    sight:
      'Connections from beyond the router hang; the log has `ext default-route replace failed` or `default route install failed`.',
    deed: 'Tries again every five seconds.',
  },
  'forwarding-off': {
    sight: 'The anchor is ready, its address answers a ping, and no port does.',
    deed: told,
    fix: 'Sets it where the container may write there, which is seldom: /proc/sys is read-only in a container that is not privileged.',
  },
  'tables-differ': {
    sight: '`nft list table ip anchord_v4` shows other ports than `anchord status`.',
    deed: 'Sees a changed table at once and puts it right; `anchord_table_repairs_total` counts.',
    fix: 'Writes the tables, also while the anchor itself stands still.',
  },
  'kernel-refuses': {
    sight: 'Ports lead where they led before; the log has `reconcile failed`.',
    deed: 'Tries again by itself, first after 0.2 seconds and then more and more slowly, up to ten seconds.',
  },
  'port-conflict': {
    sight: 'One of two containers gets no connections.',
    deed: 'Leaves the port with the one that has it, always the same one, and names both.',
  },
  'invalid-labels': {
    sight: 'A container gets no connections at all.',
    deed: 'Leaves out this container alone.',
  },
  'contradictory-labels': {
    sight: 'A port leads to another target than you meant.',
    deed: 'Takes the later entry.',
  },
  'no-address': {
    sight: 'A container gets no connections at all; the log has `no usable IP for container`.',
    deed: 'Serves it as soon as it has an address on one of our networks.',
  },
  'bridge-netfilter': {
    sight: 'The anchor is ready, a ping gets through, and every connection from the LAN hangs.',
    deed: 'Tries the path to each backend that is new, and again at every poll while it is blocked. The doctor looks twice, two seconds apart.',
  },
  'no-return-route': {
    sight: 'Connections from the LAN to one container hang; from its neighbours they work.',
    deed: 'Tries the path to each backend that is new, and again at every poll while it is blocked. The doctor looks twice, two seconds apart.',
  },
  'nobody-listens': {
    sight: 'Clients are refused at once.',
    deed: 'Nothing: only the doctor knocks at services.',
  },
  'half-done-repair': {
    sight:
      '`docker ps --all` shows a container whose name ends in `.berth-` and a number: an anchor, or `doctor all --fix`, was killed in the middle of a repair.',
    deed: 'Ends its own repairs when it starts again, and those of others within its reach after two minutes.',
    fix: 'Removes the old container where the new one is up, and puts the old one back where it is not; not before nothing has happened to either for two minutes.',
  },
  'dead-namespace': {
    sight:
      'A container runs, has no network, and does not start any more after a restart ("joining network namespace of container: No such container").',
    deed: 'Reports each one once (`dependent in dead netns`), and brings back those of which it is certain whose namespace they belong to, unless `ANCHORD_AUTOFIX_DEAD_NETNS` is `false`.',
    fix: 'Restarts a container whose owner was restarted in place. Re-creates one whose owner was replaced, where Compose leaves no doubt which container that is.',
  },
  'repairs-held-back': {
    sight: 'The same container was repaired again and again, and now nothing happens any more.',
    deed: 'Waits, so that two programs do not work against each other without an end; then it goes on.',
  },
  'stale-network': {
    sight:
      'A container that is attached to a network of another stack reaches nobody there, after that stack was taken down and up again.',
    deed: 'An external-rebinder attaches the one that it follows. Others are only found by the doctor.',
    fix: 'Detaches the container and attaches it to the network that has the name now, with the aliases and fixed addresses that it had.',
  },
};

export function checksPage(): string {
  return `${[
    '# What the doctor looks at',
    '`anchord doctor all` carries out these checks, in this order. Codes are the same in `/readyz`, in `anchord status`, in the metric `anchord_problems` and in the log. Exit codes: 0 all is fine, 1 there are problems, 3 something could not be checked.',
    'Made from the table of checks; `npm run fix` writes it anew, and `npm run check` fails when it is out of date.',
    ...checkCodes.map(section),
  ].join('\n\n')}\n`;
}

function section(code: CheckCode): string {
  const { title, severity, meaning, remedy } = checkTable[code];
  const story = stories[code];
  return [
    `## ${code}`,
    `${title}. (${severity})`,
    [
      ...(story === undefined ? [] : [`- **You see:** ${story.sight}`]),
      `- **What it means:** ${meaning}`,
      `- **anchord:** ${story?.deed ?? told}`,
      `- **You:** ${remedy}`,
      ...(story?.fix === undefined ? [] : [`- **\`--fix\`:** ${story.fix}`]),
    ].join('\n'),
  ].join('\n\n');
}
