import { Registry } from '@berth/service/metrics';
import { expect, it } from 'vitest';
import { leaseMeter } from './meters.ts';
import { backendMetrics } from './table.ts';

it('counts what happens to leases under the names that dashboards know', () => {
  const registry = new Registry(() => undefined);
  const meter = leaseMeter(registry.add(backendMetrics));
  meter.transition('none', 'provisioning', 'ProvisionRequested');
  meter.transition('failed', 'provisioning', 'ProvisionRequested');
  meter.transition('deprovisioning', 'none', 'DeprovisionCompleted');
  meter.transition('ready', 'failing', 'an event of tomorrow');
  meter.workPanicked('replace');
  meter.workPanicked('deprovision');
  meter.outcomeDropped('ReplaceRecovered');
  meter.outcomeDropped('DeprovisionCompleted');
  meter.deathDropped('event_loop');
  const counted = registry
    .expose()
    .split('\n')
    .filter((line) => /^fred_docker_backend_(lease_(sm|worker|terminal)|die)\S* [1-9]/.test(line));
  expect(counted.sort()).toEqual([
    'fred_docker_backend_die_event_dropped_total{source="event_loop"} 1',
    'fred_docker_backend_lease_sm_transitions_total{from="deprovisioning",to="none",event="DeprovisionCompleted"} 1',
    'fred_docker_backend_lease_sm_transitions_total{from="failed",to="provisioning",event="ProvisionRequested"} 1',
    'fred_docker_backend_lease_sm_transitions_total{from="provisioning",to="provisioning",event="ProvisionRequested"} 1',
    'fred_docker_backend_lease_terminal_event_dropped_total{event="replace_recovered"} 1',
    'fred_docker_backend_lease_worker_panics_total{worker_type="replace"} 1',
  ]);
});
