/** What is said about the tables in the kernel and the flows that they lead. */
import { message } from '@berth/service/log';

export const dataplaneMessages = {
  teardownFailed: message(
    'warn',
    'nat teardown',
    ['err'],
    'The tables could not be removed at the end. They go with the namespace.',
  ),
  reconciled: message(
    'info',
    'reconciled',
    ['backends', 'entries', 'conntrack_flushed'],
    'The kernel does what Docker says: so many containers, so many ports over both families.',
  ),
  reconcileFailed: message(
    'error',
    'reconcile failed',
    ['err'],
    'The kernel refused the ruleset and keeps the one that it has; it is tried again.',
  ),
  tablesRepaired: message(
    'warn',
    'tables were changed by another program; repaired',
    ['drift'],
    'Somebody flushed or changed our tables. They are as they should be again.',
  ),
  flushFailed: message(
    'warn',
    'conntrack flush',
    ['err'],
    'Flows to a backend that is gone could not be forgotten; they end with their timeouts.',
  ),
  flushed: message('debug', 'conntrack flushed', ['ip', 'flows'], 'Flows to this backend were forgotten.'),
  portConflict: message(
    'error',
    'port conflict',
    ['key', 'holder', 'refused'],
    'Several containers expose one port. The holder keeps it; the others do not get this port.',
  ),
  portConflictSolved: message(
    'info',
    'port conflict solved',
    ['key'],
    'Only one container exposes the port now.',
  ),
  forwarding: message(
    'info',
    'forwarding for inner interfaces',
    ['inner', 'refused'],
    'Only these may send through us what belongs to no exposed port. The refused ones lead to a LAN, or are not from Docker.',
  ),
  fibMissing: message(
    'warn',
    'kernel lacks fib in nat chains; matching on the external interface instead',
    ['family'],
    'Containers of the project do not reach exposed ports by the external address in this family.',
  ),
};
