import { Registry } from '@berth/service/metrics';
import { describe, expect, it } from 'vitest';
import { backendMetrics } from './table.ts';

/** Name (without prefix), type and labels as dashboards know them: C counter, G gauge, H histogram. */
const contract = `
provisions_total C outcome
deprovisions_total C
active_provisions G
resource_cpu_allocated_ratio G
resource_memory_allocated_ratio G
resource_disk_allocated_ratio G
provision_duration_seconds H
callback_delivery_total C outcome
callback_store_errors_total C
image_pull_duration_seconds H
restore_duration_seconds H
replace_phase_duration_seconds H operation phase
restore_total C outcome
volume_quota_backfill_total C outcome
volume_quota_clear_failed_total C
restore_demote_refused_total C backend reason
reconciliation_total C outcome
reconciliation_last_success_timestamp_seconds G
idempotent_ops_total C op reason
container_removal_wait_failures_total C
lease_sm_transitions_total C from to event
lease_actors_created_total C
lease_actor_stuck_seconds G
lease_actor_inbox_depth H
lease_actor_panics_total C
lease_terminal_event_dropped_total C event
die_event_dropped_total C source
lease_worker_panics_total C worker_type
retained_volume_bytes G
retained_leases G
retention_reaping_bytes G
retention_reaping_leases G
retention_partitions G
disk_pool_bytes G
retained_disk_cap_bytes G
retention_refused_total C
retention_refused_by_scope_total C scope
retention_evicted_total C
retention_partition_evicted_total C
retention_partition_collapsed_total C reason
retention_partition_stamped_total C
retention_cap_check_failed_total C check
retention_leaked_total C
retention_orphans_pruned_total C
retention_orphan_skips_total C reason
retention_reap_skips_total C reason
retention_writable_path_reclaimed_total C
retention_sweep_total C outcome
retention_accounting_refresh_failed_total C
retention_index_reindex_total C trigger
volume_destroy_refused_total C site reason
teardown_fallback_total C operation outcome
restore_finalizer_pending_total C
`;

describe('the metrics', () => {
  it('have the names, types and labels of the contract, and no others', () => {
    const made = Object.values(backendMetrics).map(({ name, type, labels }) =>
      [name.replace('fred_docker_backend_', ''), type.slice(0, 1).toUpperCase(), ...Object.keys(labels)].join(
        ' ',
      ),
    );
    const expected = [...contract.trim().split('\n'), 'fred_background_cleanup_panics_total C component'];
    expect(made.sort()).toEqual(expected.sort());
  });

  it('have the buckets of the contract', () => {
    expect(backendMetrics.provisionSeconds.buckets).toEqual([
      0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024,
    ]);
    expect(backendMetrics.imagePullSeconds.buckets).toEqual(backendMetrics.provisionSeconds.buckets);
    expect(backendMetrics.replacePhaseSeconds.buckets).toHaveLength(16);
    expect(backendMetrics.replacePhaseSeconds.buckets[0]).toBe(0.05);
    expect(backendMetrics.inboxDepth.buckets).toEqual([0, 1, 2, 4, 8, 12, 16]);
  });

  it('are there at zero from the start where the set of labels is closed', () => {
    const registry = new Registry();
    registry.add(backendMetrics);
    const text = registry.expose();
    for (const series of [
      'retention_index_reindex_total{trigger="open"} 0',
      'restore_total{outcome="failure"} 0',
      'volume_quota_backfill_total{outcome="applied"} 0',
      'retention_orphan_skips_total{reason="disabled"} 0',
      'retention_reap_skips_total{reason="owner_claimed"} 0',
      'retention_sweep_total{outcome="error"} 0',
      'volume_destroy_refused_total{site="orphan_gc",reason="claimed"} 0',
      'teardown_fallback_total{operation="deprovision",outcome="failed"} 0',
      'retention_partition_collapsed_total{reason="divergent"} 0',
      'retention_refused_by_scope_total{scope="tenant"} 0',
      'retention_cap_check_failed_total{check="bound"} 0',
      'deprovisions_total 0',
      'active_provisions 0',
    ])
      expect(text).toContain(`fred_docker_backend_${series}\n`);
    expect(text).not.toContain('fred_background');
  });
});
