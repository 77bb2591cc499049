/** The permissions as a page of the reference. For scripts; no program loads it. */
import { featureNames, featureRow, type PermissionName, permissions, switchesOf } from './table.ts';

const code = (text: string): string => `\`${text}\``;

export function permissionsPage(): string {
  const features = featureNames.map((feature) => {
    const { title, needs, wants = [] } = featureRow(feature);
    return `| ${title} | ${switchesOf(feature)
      .map((one) => code(`${one}=1`))
      .join(' ')} | ${requests(needs)} | ${requests(wants)} |`;
  });
  const rows = Object.values(permissions).map(
    ({ request, switches, what }) => `| ${what} | ${code(request)} | ${switches.map(code).join(' ')} |`,
  );
  return `${[
    '# What anchord asks of the Docker API',
    'Give an anchor no more than its features need: put a socket proxy before the engine, on a network that only the anchors are on, and let `DOCKER_HOST` lead to it. Mounting the socket read-only limits nothing: whoever can connect can ask for everything. A service-anchor never talks to Docker.',
    'When something that is needed is refused, the log says so once (`docker refuses a request`), `/readyz` and `anchord status` list `docker-permission` until it is allowed, and `anchord doctor all` names each right that is granted and each that is missing.',
    'Made from the table of permissions; `npm run fix` writes it anew, and `npm run check` fails when it is out of date. A test carries out each feature on a real engine behind a proxy that allows exactly this.',
    '## By feature',
    'The switches are those of the usual socket proxies. Where DELETE has no switch of its own, POST allows it.',
    'What the doctor is better with, and changes something, is for `--fix`: it says which step was refused.',
    ['| Feature | Switches | Requests | Better with |', '|---|---|---|---|', ...features].join('\n'),
    '## By request',
    ['| What | Request | Switches |', '|---|---|---|', ...rows].join('\n'),
  ].join('\n\n')}\n`;
}

const requests = (names: readonly PermissionName[]): string =>
  names.length === 0 ? '—' : names.map((name) => code(permissions[name].request)).join(', ');
