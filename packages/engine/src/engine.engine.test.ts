import { expect, it } from 'vitest';
import type { EngineEvent } from './events/index.ts';
import { onEveryEngine } from './testing/site.ts';

async function* bytes(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

onEveryEngine('the clients', (site) => {
  const { containers, networks, images, volumes, system, events } = site.engine;

  it('know what they talk to', async () => {
    const version = await system.version();
    expect(version.version.startsWith(site.host.engine)).toBe(true);
    const ping = await system.ping();
    expect(ping.apiVersion).toBe(version.apiVersion);
    expect(Math.abs((ping.engineTime ?? 0) - Date.now())).toBeLessThan(5000);
    const spoken = await system.spokenVersion();
    expect(`${spoken.major}.${spoken.minor}`).toBe(version.apiVersion);
    const info = await system.info();
    expect(info).toMatchObject({ storageDriver: 'overlay2', ipv4Forwarding: true });
    expect(info.filtersBridgedPackets.ipv4).toBeTypeOf('boolean');
    expect(info.securityOptions.some((option) => option.startsWith('name=seccomp'))).toBe(true);
    expect(info.storageStatus['Backing Filesystem']).toBeTruthy();
    expect((await system.diskUsage()).images).toBeGreaterThan(0);
  });

  it('take a container through its life', async () => {
    const id = await site.create('life', { Env: ['A=1'], ExposedPorts: { '80/tcp': {} } });
    expect(await containers.inspect(id)).toMatchObject({
      id,
      name: site.named('life'),
      image: site.image,
      imageId: (await images.inspect(site.image)).id,
      state: { status: 'created', running: false, pid: 0, startedAt: undefined, health: undefined },
      labels: { 'berth.test': site.name },
      config: { Env: expect.arrayContaining(['A=1']) },
    });
    expect(await containers.start(id)).toBe(true);
    expect(await containers.start(site.named('life'))).toBe(false);
    const running = await containers.inspect(`/${site.named('life')}`);
    expect(running.state).toMatchObject({ status: 'running', running: true });
    expect(running.state.pid).toBeGreaterThan(0);
    expect(running.attachments['bridge']?.ipv4).toMatch(/^172\./);
    const [listed] = await containers.list({ filters: { id: [id] } });
    expect(listed).toMatchObject({
      id,
      names: [site.named('life')],
      status: 'running',
      attachments: { bridge: { ipv4: running.attachments['bridge']?.ipv4 } },
    });
    await containers.rename(id, site.named('other'));
    await containers.restart(id, { graceS: 5 });
    expect((await containers.inspect(site.named('other'))).state.pid).not.toBe(running.state.pid);
    await containers.update(id, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } });
    expect((await containers.inspect(id)).hostConfig.RestartPolicy).toEqual({
      Name: 'on-failure',
      MaximumRetryCount: 2,
    });
    const ended = containers.wait(id);
    await site.hears(id);
    expect(await containers.stop(id, { graceS: 60 })).toBe(true);
    expect(await containers.stop(id)).toBe(false);
    expect(await ended).toBe(0);
    await containers.remove(id);
    await expect(containers.inspect(id)).rejects.toMatchObject({ code: 'ENGINE_NOT_FOUND' });
  });

  it('tell what a program printed, frames or not, and cut it at the limit', async () => {
    const print = ['sh', '-c', 'echo one; echo two >&2; echo größe'];
    for (const Tty of [false, true]) {
      const id = await site.run(`logs-${Tty}`, { Cmd: print, Tty });
      await containers.wait(id);
      const newline = Tty ? '\r\n' : '\n';
      const whole = await containers.logs(id);
      expect(whole).toEqual({ text: expect.stringContaining(`größe${newline}`), truncated: false });
      expect(whole.text.split(newline).sort()).toEqual(['', 'größe', 'one', 'two']);
      expect((await containers.logs(id, { tail: 1 })).text).not.toContain('one');
      const cut = await containers.logs(id, { stderr: false, maxBytes: Tty ? 13 : 7 });
      expect(cut.truncated).toBe(true);
      expect(Buffer.byteLength(cut.text)).toBeLessThanOrEqual(Tty ? 13 : 7);
      expect(cut.text).not.toContain('\ufffd');
    }
  });

  it('run programs in a container', async () => {
    const id = await site.run('exec');
    const script = 'echo out; echo err >&2; echo $A; pwd; exit 7';
    expect(await containers.exec(id, ['sh', '-c', script], { env: ['A=b c'], workingDir: '/tmp' })).toEqual({
      exitCode: 7,
      stdout: 'out\nb c\n/tmp\n',
      stderr: 'err\n',
      truncated: false,
    });
    const much = await containers.exec(id, ['sh', '-c', 'yes | head -c 100000'], { maxBytes: 1000 });
    expect(much).toMatchObject({ exitCode: 0, truncated: true });
    expect(much.stdout).toHaveLength(1000);
    await expect(containers.exec('nobody', ['true'])).rejects.toMatchObject({ code: 'ENGINE_NOT_FOUND' });
  });

  it('carry files in and out', async () => {
    const from = await site.run('files-from');
    await containers.exec(from, ['sh', '-c', 'mkdir /etc/x && echo hello > /etc/x/greeting']);
    const to = await site.create('files-to');
    await containers.writeArchive(to, '/', await containers.readArchive(from, '/etc/x'));
    await containers.start(to);
    expect(await containers.exec(to, ['cat', '/x/greeting'])).toMatchObject({ stdout: 'hello\n' });
    await expect(containers.readArchive(from, '/nothing')).rejects.toMatchObject({
      code: 'ENGINE_NOT_FOUND',
    });
  });

  it('connect containers to networks and tell who is on them', async () => {
    const subnet = site.host.engine === '26' ? '10.71.3.0/24' : '10.71.2.0/24';
    const network = await site.network('lan', subnet);
    await expect(networks.create({ Name: site.named('lan') })).rejects.toMatchObject({
      code: 'ENGINE_NAME_IN_USE',
    });
    const address = subnet.replace('.0/24', '.77');
    const id = await site.run('member');
    await networks.connect(network, id, { Aliases: ['web'], IPAMConfig: { IPv4Address: address } });
    await expect(networks.connect(network, id)).rejects.toMatchObject({ code: 'ENGINE_ALREADY_ATTACHED' });
    const inspected = await containers.inspect(id);
    expect(inspected.attachments[site.named('lan')]).toMatchObject({
      networkId: network,
      ipv4: address,
      fixedIpv4: address,
      aliases: expect.arrayContaining(['web']),
    });
    expect(await networks.inspect(site.named('lan'))).toMatchObject({
      id: network,
      driver: 'bridge',
      internal: false,
      pools: [{ subnet }],
      members: { [id]: { name: site.named('member'), ipv4: `${address}/24` } },
    });
    expect((await networks.list({ name: [site.named('lan')] })).map((one) => one.id)).toEqual([network]);
    await expect(networks.remove(network)).rejects.toMatchObject({ code: 'ENGINE_NETWORK_IN_USE' });
    await networks.disconnect(network, id, { force: true });
    await expect(networks.disconnect(network, id)).rejects.toMatchObject({ code: 'ENGINE_NOT_ATTACHED' });
    await networks.remove(network);
    await expect(networks.inspect(network)).rejects.toMatchObject({ code: 'ENGINE_NOT_FOUND' });
  });

  it('keep volumes', async () => {
    const name = site.named('data');
    const made = await volumes.create({ Name: name, Labels: { a: 'b' } });
    expect(made).toMatchObject({ name, driver: 'local', labels: { a: 'b' } });
    expect(await volumes.inspect(name)).toEqual(made);
    expect((await volumes.list({ name: [name] })).map((one) => one.name)).toEqual([name]);
    await volumes.remove(name);
    await expect(volumes.inspect(name)).rejects.toMatchObject({ code: 'ENGINE_NOT_FOUND' });
  });

  it('import, name and remove images', async () => {
    const empty = bytes('\0'.repeat(1024));
    const ref = `${site.name}/empty:1`;
    await images.import(ref, empty, {
      changes: ['USER 5:6', 'VOLUME /b /a', 'EXPOSE 80', 'CMD ["x"]', 'ENV A=1'],
    });
    const image = await images.inspect(ref);
    expect(image).toMatchObject({
      tags: [ref],
      os: 'linux',
      user: '5:6',
      volumes: ['/a', '/b'],
      exposedPorts: ['80/tcp'],
      command: ['x'],
      env: expect.arrayContaining(['A=1']),
      hasHealthCheck: false,
    });
    await images.tag(image.id, `${site.name}/empty:2`);
    const listed = await images.list({ reference: [`${site.name}/empty`] });
    expect(listed.map(({ id, tags }) => [id, [...tags].sort()])).toEqual([
      [image.id, [ref, `${site.name}/empty:2`]],
    ]);
    await images.remove(image.id, { force: true });
    await expect(images.inspect(ref)).rejects.toMatchObject({ code: 'ENGINE_IMAGE_MISSING' });
  });

  it('say what stands in the way', async () => {
    await expect(site.create('no-image', { Image: `${site.name}/none` })).rejects.toMatchObject({
      code: 'ENGINE_IMAGE_MISSING',
    });
    const published = {
      ExposedPorts: { '80/tcp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '17001' }] } },
    };
    await site.run('port', published);
    expect((await containers.inspect(site.named('port'))).ports).toContainEqual({
      containerPort: '80/tcp',
      hostIp: '0.0.0.0',
      hostPort: 17001,
    });
    await expect(site.create('port')).rejects.toMatchObject({ code: 'ENGINE_NAME_IN_USE' });
    await expect(site.run('port-2', published)).rejects.toMatchObject({ code: 'ENGINE_PORT_IN_USE' });
    const subnet = site.host.engine === '26' ? '10.71.5.0/24' : '10.71.4.0/24';
    const network = await site.network('full', subnet);
    const fixed = { IPAMConfig: { IPv4Address: subnet.replace('.0/24', '.9') } };
    const [first, second] = [await site.run('ip-1'), await site.run('ip-2')];
    await networks.connect(network, first, fixed);
    await expect(networks.connect(network, second, fixed)).rejects.toMatchObject({
      code: 'ENGINE_ADDRESS_IN_USE',
    });
    await expect(containers.kill(await site.create('idle'))).rejects.toMatchObject({
      code: 'ENGINE_CONFLICT',
    });
    await expect(site.create('bad', { HostConfig: { NetworkMode: 'container:' } })).rejects.toMatchObject({
      code: 'ENGINE_BAD_REQUEST',
    });
    await expect(images.pull('127.0.0.1:1/nothing:here')).rejects.toThrow('connect');
  });

  it('follow what happens, also from a moment in the past', async () => {
    const since = (await system.ping()).engineTime ?? 0;
    const filters = { type: ['container'], label: [`berth.test=${site.name}`] };
    const seen: EngineEvent[] = [];
    const id = await site.create('events');
    using live = await events.open({ filters });
    await containers.start(id);
    for await (const event of live) {
      seen.push(event);
      if (event.action === 'start') break;
    }
    const started = seen.at(-1);
    expect(started).toMatchObject({ type: 'container', id, attributes: { name: site.named('events') } });
    expect(started?.at).toBeGreaterThanOrEqual(since);
    expect(started?.at).toBeLessThanOrEqual(Date.now());
    const again = await events.past({ since, until: Date.now(), filters });
    expect(again.filter((event) => event.id === id).map((event) => event.action)).toEqual([
      'create',
      'start',
    ]);
    expect(again.map((event) => event.key)).toContain(started?.key);
  });

  it('stop at once when told to', async () => {
    const id = await site.run('slow');
    const { signal } = new AbortController();
    const stopped = AbortSignal.any([signal, AbortSignal.timeout(50)]);
    await expect(containers.wait(id, 'not-running', { signal: stopped })).rejects.toMatchObject({
      code: 'ENGINE_ABORTED',
    });
    await expect(containers.wait(id, 'not-running', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'ENGINE_TIMEOUT',
    });
  });
});
