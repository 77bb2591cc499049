import { tableAsMarkdown } from './table/table.ts';
import { dhcp4Table, eventsInWords, phasesInWords } from './v4/client-table.ts';
import { dhcp6Table, eventsInWords6, phasesInWords6 } from './v6/client-table.ts';

/** The page of reference about the client machines, printed from the tables that run. */
export function machinesReference(): string {
  return `# DHCP client machines

Printed from the tables that the clients run on; a test fails when this page differs from them. An event that a phase
does not list leaves the client as it is. Messages that are not for us (another transaction, another MAC, another client
identifier, another server than the one we deal with, nothing usable in them) never become events: they are counted.

## DHCPv4

${tableAsMarkdown(dhcp4Table, phasesInWords, eventsInWords)}
## DHCPv6

${tableAsMarkdown(dhcp6Table, phasesInWords6, eventsInWords6)}`;
}
