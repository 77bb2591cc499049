/**
 * The words that operators, dashboards and scripts hold on to, as the contract has them. Written down here once more, by
 * hand: the tables in the code are what is tested, and the references in docs follow those tables.
 */
import { listenerMessages } from '@berth/service/http';
import { lifecycleMessages } from '@berth/service/lifecycle';
import type { Message } from '@berth/service/log';
import { Registry } from '@berth/service/metrics';
import { readExposition } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import { externalRebinderSchema } from './config/external-rebinder.ts';
import { managedServiceAnchorSchema, networkAnchorSchema } from './config/network-anchor.ts';
import { serviceAnchorSchema } from './config/service-anchor.ts';
import { wrapRebinderSchema } from './config/wrap-rebinder.ts';
import * as tables from './messages/index.ts';
import { anchordMetrics } from './metrics.ts';

const said: readonly Message[] = [listenerMessages, lifecycleMessages, ...Object.values(tables)].flatMap(
  (table): readonly Message[] => Object.values(table),
);

/** A line each: level, message, and the attributes behind it. */
const messages = `
error fatal | err
info signal received, shutting down | signal
info anchord starting (network-anchor mode) | project ext_iface ext_network? address_mode? vlan_parent? mac? hostname fp
info metrics listener started | addr
info metrics + health listener disabled (ANCHORD_METRICS_ADDR="") |
warn metrics listener exited | addr err
warn both ANCHORD_EXT_NETWORK and ANCHORD_EXT_IFACE set; using EXT_NETWORK | network ignored_iface
info external interface resolved by network | network iface
warn multiple interfaces share MAC, picking first | mac iface hits
info macvlan up | iface parent mac
info macvlan removed | iface
warn ensure link failed, will retry | iface parent err backoff
warn macvlan child no longer usable, cancelling DHCP clients |
warn dhcp clients exited, retrying |
warn nat teardown | err
info dhcp supervisor passive — no client will run | mode iface
info dhcp v4 lease acquired | iface ip server lease
info dhcp v6 lease acquired | iface addrs
debug dhcp v4 lease renewed | iface ip lease
debug v4 addr cleanup |
debug v4 release |
debug v6 addr cleanup |
warn dhcp client lost lease, retrying | family err backoff
info external IPv4 changed | old new
error dhcp supervisor exited |
info ext default-route enforcer starting | ext_network pin_v4 pin_v6 ipam_v4 ipam_v6 interval
info ext default-route dynamic source updated | family gw
info ext default route enforced | family gw prev
warn ext IPAM lookup failed; will fall back to pin / DHCP only | ext_network err
warn ext default-route replace failed |
debug ext default-route lookup |
error extroute exited |
info shared-network picker initialised | candidates pinned
info shared network re-picked | old new
warn ANCHORD_LABEL_SELECTOR set; ANCHORD_PROJECT ignored | ignored_project
info backend label selector active | selector
warn initial snapshot failed |
warn poll snapshot failed |
warn event-driven snapshot failed |
warn docker event stream error, retrying |
warn invalid expose labels | container err
warn no usable IP for container | container shared_network
debug docker event | action actor
debug wrap-target inspect failed | ref
error discovery exited |
info reconciled | backends entries conntrack_flushed
error reconcile failed | err
warn conntrack flush | err
debug conntrack flushed | ip
info service-anchor starting (DNS mode) | gateway_hostname resolve_interval
info service-anchor starting (IP mode) | gateway_ips
info recorded existing default route for restore on shutdown | family gateway
info default route updated | family gateway reason prev
info default route removed | family gateway
info restored original default route on shutdown |
warn gateway DNS lookup failed | host err
warn default route install failed | family gw reason prev err
warn could not record original default route |
warn could not restore original default route |
debug default route lookup failed; will replace unconditionally |
debug default route cleanup |
info sibling auto-start disabled (ANCHORD_AUTOSTART_SIBLINGS=false) |
info auto-starting sibling waiting for target | sibling target source
warn sibling failed to start | sibling target source err
warn autostart event stream error, retrying |
warn autostart backfill list failed |
warn autostart per-event list failed |
warn autostart sa-gone list failed |
error autostart watcher exited |
info managed service-anchor recipe active | target name image gateway_ip
info managed service-anchor needs recreate | name target source reason sa_netmode? current_target_id? sa_image_id? parent_image_id?
info managed service-anchor gone; respawning | name target reason
info created and started managed service-anchor | name id target source
info rebound dead-netns dependent to new service-anchor | dependent old_id new_id new_target source
warn F-45 backfill self-inspect failed; skipping image-drift check |
warn F-45 self-inspect failed; cannot manage service-anchor |
warn F-45 recipe could not be resolved |
warn F-45 create failed |
warn F-45 created but start failed |
warn failed to remove managed service-anchor; will retry next event |
warn failed to rebind dead-netns dependent; operator must recreate manually | dependent dependent_id stale_target new_target err
debug managed service-anchor already running |
debug managed service-anchor destroyed but target is not running; skipping respawn |
warn dependent in dead netns | container container_id stale_target hint?
warn dead-netns detector list failed |
info dead-netns detector starting | scope_project interval
error dead-netns watcher exited |
info external-rebinder starting | follow_network follow_target restart event_backoff settle_quiet_window settle_max_wait
info bootstrap recheck: follower already attached to current network ID |
info bootstrap recheck: divergence detected, reattaching | target network stored_id current_id attached
info reattach: follower connected to current network ID |
info reattach: follower restarted |
info reattach: disconnect returned error (continuing) |
warn bootstrap recheck: target network not inspectable; will wait for events |
warn bootstrap recheck: container list failed; will wait for events |
warn bootstrap recheck: follower not found; will wait for events |
warn bootstrap recheck: follower inspect failed; will wait for events |
warn reattach: network inspect failed |
warn reattach: container list failed |
warn reattach: follower not found |
warn reattach: connect failed |
warn reattach: follower restart failed |
warn rebinder event stream error, retrying |
info park: follower no longer attached to target network; marking released |
info park: released follower to unblock target network teardown | reason
warn park: disconnect of sole-remaining follower failed |
info target network created; waiting for target stack to settle before reattach |
info target network destroyed; follower released, awaiting next create |
info connect on target network while parked; target may be returning, settling |
info target stack settled; reattaching follower |
warn settle timed out; reattaching anyway (connect-retry backstop covers residual collisions) |
info settle aborted: target network not inspectable mid-settle; awaiting next event |
warn reattach: connect hit address-in-use; target still assigning IPs, retrying after backoff | attempt of backoff
info wrap-rebinder starting | project poll_interval restart_timeout
info wrap-rebinder: target pool refreshed | targets
info wrap-rebinder: target pool is empty; nothing to track yet |
info wrap-rebinder: drift detected, recreating wrap-anchor | target anchor stored_ref current_id source
info tracked target started, recreating affected wrap-anchors |
info wrap-rebinder: anchor recreated against live target | old_id new_id target source
warn wrap-rebinder: container list failed during pool enumeration |
warn wrap-rebinder: bootstrap recheck list failed |
warn wrap-rebinder: anchor has stale netmode whose target ID no longer exists; manual recreate required | anchor stored_ref
warn wrap-rebinder: suppressing rapid recreate | anchor target since_last source
warn wrap-rebinder: recreate failed |
warn wrap-rebinder event stream error, retrying |
`;

describe('the messages of the contract', () => {
  it.each(messages.trim().split('\n'))('%s', (line) => {
    const [, level, msg = '', names = ''] = /^(\w+) (.*) \|(.*)$/.exec(line) ?? [];
    const found = said.filter((one) => one.msg === msg);
    expect(found).not.toEqual([]);
    for (const one of found) {
      expect(one.level).toBe(level);
      for (const name of names.trim().split(' ').filter(Boolean)) expect(one.attrs).toContain(name);
    }
  });

  it('begin as readers expect where their end may change', () => {
    const beginning = 'dead-netns detector disabled: no compose project scope';
    expect(said.filter(({ level, msg }) => level === 'info' && msg.startsWith(beginning))).toHaveLength(1);
  });
});

const family = ['v4', 'v6'];
const proto = ['tcp', 'udp'];
const outcome = ['ok', 'error'];

describe('the metrics of the contract', () => {
  const registry = new Registry();
  registry.add(anchordMetrics);
  const exposed = readExposition(registry.expose());

  it.each([
    ['anchord_reconcile_total', 'counter', { result: outcome }],
    ['anchord_dhcp_lease_remaining_seconds', 'gauge', { family }],
    ['anchord_dhcp_acquired_total', 'counter', { family, outcome }],
    ['anchord_dhcp_client_restarts_total', 'counter', { family }],
    ['anchord_dnat_entries', 'gauge', { family, proto }],
    ['anchord_conntrack_flushes_total', 'counter', { family }],
    ['anchord_docker_events_total', 'counter', { source: ['event', 'poll'] }],
    ['anchord_gateway_resolve_total', 'counter', { family, outcome }],
    ['anchord_gateway_route_replaces_total', 'counter', { family }],
    ['anchord_default_route_present', 'gauge', { family }],
  ] as const)('%s has every series from the start, at 0', (name, type, labels: Record<
    string,
    readonly string[]
  >) => {
    const found = exposed.get(name);
    expect(found?.type).toBe(type);
    const wanted = Object.entries(labels).reduce<Record<string, string>[]>(
      (all, [label, values]) => all.flatMap((one) => values.map((value) => ({ ...one, [label]: value }))),
      [{}],
    );
    const byLabels = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    expect(found?.samples.map((sample) => sample.labels).toSorted(byLabels)).toEqual(
      wanted.toSorted(byLabels),
    );
    expect(new Set(found?.samples.map(({ value }) => value))).toEqual(new Set([0]));
  });

  it('measure the duration of a reconcile in the buckets of the contract', () => {
    const { type, samples = [] } = exposed.get('anchord_reconcile_duration_seconds') ?? {};
    expect(type).toBe('histogram');
    const buckets = samples.flatMap(({ labels }) => labels['le'] ?? []);
    const bounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
    expect(buckets).toEqual([...bounds.map(String), '+Inf']);
  });

  it('are all of anchord, and name no container, address or port', () => {
    for (const [name, { samples }] of exposed) {
      expect(name).toMatch(/^anchord_/);
      for (const { labels } of samples)
        for (const label of Object.keys(labels))
          expect([
            'family',
            'proto',
            'outcome',
            'result',
            'source',
            'reason',
            'action',
            'code',
            'le',
          ]).toContain(label);
    }
  });
});

/** A line each: the variable, and its default as people write it; nothing where there is none. */
const settings = [
  [
    networkAnchorSchema,
    `ANCHORD_MODE network-anchor
ANCHORD_LOG_LEVEL info
ANCHORD_METRICS_ADDR 127.0.0.1:9090
DOCKER_HOST unix:///var/run/docker.sock
COMPOSE_PROJECT_NAME
ANCHORD_PROJECT COMPOSE_PROJECT_NAME
ANCHORD_LABEL_SELECTOR
ANCHORD_AUTOSTART_SIBLINGS true
ANCHORD_AUTOFIX_DEAD_NETNS true
ANCHORD_MANAGED_SA_TARGET
ANCHORD_ADDRESS_MODE bootstrap
ANCHORD_EXT_NETWORK
ANCHORD_EXT_IFACE eth0 (anchord-ext with ANCHORD_VLAN_PARENT)
ANCHORD_EXT_GATEWAY_IP
ANCHORD_SHARED_NETWORK
ANCHORD_POLL_INTERVAL 30s
ANCHORD_DHCP_BACKOFF_MAX 5m0s
ANCHORD_VLAN_PARENT
ANCHORD_EXT_MAC derived from the project`,
  ],
  [
    managedServiceAnchorSchema,
    `ANCHORD_MANAGED_SA_NAME <target>-service-anchor
ANCHORD_MANAGED_SA_IMAGE the network-anchor's own image
ANCHORD_MANAGED_SA_EXTRA_ENV {}
ANCHORD_MANAGED_SA_LABELS {}`,
  ],
  [
    serviceAnchorSchema,
    `ANCHORD_GATEWAY_HOSTNAME anchord
ANCHORD_GATEWAY_IP
ANCHORD_GATEWAY_RESOLVE_INTERVAL 5s`,
  ],
  [
    externalRebinderSchema,
    `ANCHORD_FOLLOW_NETWORK
ANCHORD_FOLLOW_TARGET
ANCHORD_FOLLOW_RESTART false
ANCHORD_FOLLOW_EVENT_BACKOFF 2s`,
  ],
  [
    wrapRebinderSchema,
    `ANCHORD_WRAP_POLL_INTERVAL 30s
ANCHORD_WRAP_RESTART_TIMEOUT 10s`,
  ],
] as const;

describe('the variables of the contract', () => {
  it.each(
    settings.map(([schema, lines]) => [schema.title, schema, lines] as const),
  )('have their defaults: %s', (_, { fields }, lines) => {
    const shown = new Map(Object.values(fields).map(({ key, defaultText = '' }) => [key, defaultText]));
    for (const line of lines.split('\n')) {
      const [, key = '', value = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      expect([key, shown.get(key)]).toEqual([key, value]);
    }
  });
});
