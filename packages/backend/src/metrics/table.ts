/** Every metric of the backend. The names, types and labels are what dashboards and alerts hold. */
import { counter, exponential, gauge, histogram } from '@berth/service/metrics';
import { leaseEvents, leaseStates } from '../lease/index.ts';

const prefix = 'fred_docker_backend_';
const name = (rest: string): string => `${prefix}${rest}`;

const outcome = ['success', 'failure'] as const;
const sites = [
  'deprovision_destroy',
  'deprovision_reclaim',
  'retention_refused',
  'provision_cleanup',
  'orphan_gc',
  'reaping',
] as const;
const teardowns = [
  'restore_reconcile',
  'restore_rollback',
  'deprovision',
  'restore_prelude',
  'provision_cleanup',
] as const;

/** Names of outcomes that could not be recorded. */
export const droppedOutcomes = [
  'provision_completed',
  'provision_errored',
  'provision_no_result',
  'provision_panic',
  'replace_completed',
  'replace_recovered',
  'replace_failed',
  'replace_no_result',
  'replace_panic',
  'diag_gathered',
  'diag_no_result',
  'diag_panic',
] as const;

const leases = {
  provisions: counter(name('provisions_total'), 'Provisions that have ended.', { labels: { outcome } }),
  deprovisions: counter(name('deprovisions_total'), 'Leases that were closed.'),
  activeProvisions: gauge(name('active_provisions'), 'Leases that are ready.'),
  cpuRatio: gauge(name('resource_cpu_allocated_ratio'), 'CPU given away, of all there is.'),
  memoryRatio: gauge(name('resource_memory_allocated_ratio'), 'Memory given away, of all there is.'),
  diskRatio: gauge(name('resource_disk_allocated_ratio'), 'Disk given away, of all there is.'),
  provisionSeconds: histogram(name('provision_duration_seconds'), 'Whole provisions, good and bad.', {
    buckets: exponential(0.5, 2, 12),
  }),
  transitions: counter(name('lease_sm_transitions_total'), 'Transitions of leases.', {
    labels: { from: leaseStates, to: leaseStates, event: leaseEvents },
    initial: [],
  }),
  actorsCreated: counter(name('lease_actors_created_total'), 'Lease actors that were made.'),
  actorStuckSeconds: gauge(
    name('lease_actor_stuck_seconds'),
    'For how long the slowest handler has been running.',
  ),
  inboxDepth: histogram(name('lease_actor_inbox_depth'), 'Messages waiting in the inboxes, sampled.', {
    buckets: [0, 1, 2, 4, 8, 12, 16],
  }),
  actorPanics: counter(name('lease_actor_panics_total'), 'Handlers that crashed; the lease went on.'),
  outcomesDropped: counter(
    name('lease_terminal_event_dropped_total'),
    'Outcomes that could not be recorded.',
    {
      labels: { event: droppedOutcomes },
      initial: [],
    },
  ),
  deathsDropped: counter(name('die_event_dropped_total'), 'Container deaths that a full inbox refused.', {
    labels: { source: ['event_loop', 'reconcile'] },
  }),
  workPanics: counter(name('lease_worker_panics_total'), 'Work that crashed; the lease failed.', {
    labels: { worker_type: ['provision', 'replace', 'diag'] },
  }),
};

const engine = {
  imagePullSeconds: histogram(name('image_pull_duration_seconds'), 'Pulls that succeeded.', {
    buckets: exponential(0.5, 2, 12),
  }),
  replacePhaseSeconds: histogram(
    name('replace_phase_duration_seconds'),
    'Phases of a replacement that succeeded.',
    {
      labels: {
        operation: ['restart', 'update', 'restore'],
        phase: ['adopt', 'image_setup', 'volume_setup', 'compose_up', 'verify_startup'],
      },
      initial: [],
      buckets: exponential(0.05, 2, 16),
    },
  ),
  idempotentOps: counter(name('idempotent_ops_total'), 'Calls that the engine had done already.', {
    labels: { op: ['create', 'remove'], reason: ['already_exists', 'in_progress', 'not_found'] },
    initial: [
      { op: 'create', reason: 'already_exists' },
      { op: 'remove', reason: 'in_progress' },
      { op: 'remove', reason: 'not_found' },
    ],
  }),
  removalWaitFailures: counter(
    name('container_removal_wait_failures_total'),
    'Removals under way whose end was never seen.',
  ),
  teardownFallback: counter(name('teardown_fallback_total'), 'Tear-downs container by container.', {
    labels: { operation: teardowns, outcome: ['recovered', 'failed'] },
  }),
  reconciliations: counter(name('reconciliation_total'), 'Comparisons of leases with containers.', {
    labels: { outcome: ['success', 'error'] },
  }),
  reconciledAt: gauge(
    name('reconciliation_last_success_timestamp_seconds'),
    'When the last comparison succeeded, in Unix time.',
  ),
};

const callbacks = {
  callbackDeliveries: counter(name('callback_delivery_total'), 'Deliveries, each after its attempts.', {
    labels: { outcome },
  }),
  callbackStoreErrors: counter(name('callback_store_errors_total'), 'Callbacks that could not be stored.'),
};

const restores = {
  restoreSeconds: histogram(
    name('restore_duration_seconds'),
    'Restores that succeeded, without the take-over.',
    {
      buckets: exponential(0.5, 2, 12),
    },
  ),
  restores: counter(name('restore_total'), 'Restores that have ended.', { labels: { outcome } }),
  demoteRefused: counter(
    name('restore_demote_refused_total'),
    'Restores refused because data would not fit.',
    {
      labels: {
        backend: ['btrfs', 'xfs', 'zfs', 'noop'],
        reason: ['measured_exceeds', 'unmeasurable_read_error', 'unmeasurable_backend', 'ephemeral_tier'],
      },
      initial: [],
    },
  ),
  finalizerPending: counter(
    name('restore_finalizer_pending_total'),
    'Restores that are done but not yet durable.',
  ),
};

const volumes = {
  quotaBackfill: counter(name('volume_quota_backfill_total'), 'Quotas set again at start.', {
    labels: { outcome: ['applied', 'failed'] },
  }),
  quotaClearFailed: counter(
    name('volume_quota_clear_failed_total'),
    'Quota entries left behind by a destroy.',
  ),
  destroyRefused: counter(name('volume_destroy_refused_total'), 'Volumes that the ownership check kept.', {
    labels: { site: sites, reason: ['claimed', 'claims_unreadable', 'no_destroyer'] },
  }),
  diskPoolBytes: gauge(name('disk_pool_bytes'), 'Disk for leases, as configured.'),
};

const retention = {
  retainedBytes: gauge(name('retained_volume_bytes'), 'Disk of kept data, to be destroyed or not.'),
  retainedLeases: gauge(name('retained_leases'), 'Closed leases whose data can be restored.'),
  reapingBytes: gauge(name('retention_reaping_bytes'), 'Disk of kept data that is to be destroyed.'),
  reapingLeases: gauge(name('retention_reaping_leases'), 'Closed leases whose data is to be destroyed.'),
  partitions: gauge(name('retention_partitions'), 'Partitions with kept data.'),
  retainedCapBytes: gauge(name('retained_disk_cap_bytes'), 'Limit of kept data, as configured; 0 for none.'),
  refused: counter(
    name('retention_refused_total'),
    'Closes whose data the global limit did not allow to keep.',
  ),
  refusedByScope: counter(
    name('retention_refused_by_scope_total'),
    'Closes whose data a limit did not allow to keep.',
    {
      labels: { scope: ['global', 'tenant', 'partition'] },
    },
  ),
  evicted: counter(name('retention_evicted_total'), 'Kept data given up for newer data of the tenant.'),
  partitionEvicted: counter(
    name('retention_partition_evicted_total'),
    'Kept data given up for newer data of the partition.',
  ),
  partitionCollapsed: counter(
    name('retention_partition_collapsed_total'),
    'Partitions that were not honoured.',
    {
      labels: { reason: ['no_input', 'divergent', 'invalid', 'over_limit', 'store_error'] },
    },
  ),
  partitionStamped: counter(name('retention_partition_stamped_total'), 'Closes with a partition.'),
  capCheckFailed: counter(name('retention_cap_check_failed_total'), 'Limits that could not be checked.', {
    labels: { check: ['evict', 'breach', 'bound', 'refuse_get'] },
  }),
  leaked: counter(name('retention_leaked_total'), 'Data left behind.'),
  orphansPruned: counter(
    name('retention_orphans_pruned_total'),
    'Records dropped because their volumes are gone.',
  ),
  orphanSkips: counter(name('retention_orphan_skips_total'), 'Looks for such records that were not made.', {
    labels: { reason: ['list_error', 'root_unverifiable', 'raced', 'disabled', 'store_error'] },
  }),
  reapSkips: counter(name('retention_reap_skips_total'), 'Kept data that was not destroyed yet.', {
    labels: { reason: ['restore_claimed', 'claim_unreadable', 'owner_claimed'] },
  }),
  scratchReclaimed: counter(
    name('retention_writable_path_reclaimed_total'),
    'Volumes without data of their own, destroyed at the close.',
  ),
  sweeps: counter(name('retention_sweep_total'), 'Looks through the kept data.', {
    labels: { outcome: ['success', 'error'] },
  }),
  accountingFailed: counter(
    name('retention_accounting_refresh_failed_total'),
    'Times that the kept disk could not be counted anew.',
  ),
  reindexed: counter(name('retention_index_reindex_total'), 'Indexes of the kept data that were built.', {
    labels: { trigger: ['open', 'manual'] },
  }),
};

const shared = {
  cleanupPanics: counter('fred_background_cleanup_panics_total', 'Clean-ups of stores that crashed.', {
    labels: { component: ['callback', 'diagnostics', 'releases', 'retention'] },
    initial: [],
  }),
};

export const backendMetrics = {
  ...leases,
  ...engine,
  ...callbacks,
  ...restores,
  ...volumes,
  ...retention,
  ...shared,
} as const;
