import { RecordingLog } from '@berth/service/testing';
import { describe, expect, it } from 'vitest';
import { Problems } from '../problems.ts';
import { featureNames, featureRow, permissionNames, permissions } from './table.ts';
import { permissionOf, watchPermissions } from './watch.ts';

describe('the table of permissions', () => {
  it('knows each request by what is sent, and nothing else by it', () => {
    for (const name of permissionNames) {
      const [method = '', path = ''] = permissions[name].request.split(' ');
      expect(permissionOf(method, path.replaceAll('*', 'some-ref'))).toBe(name);
    }
    expect(permissionOf('GET', '/images/json')).toBeUndefined();
    expect(permissionOf('GET', '/containers/a/b/json')).toBeUndefined();
  });

  it('has no request that nothing makes use of', () => {
    const used = new Set(
      featureNames.flatMap((feature) => {
        const { needs, wants = [] } = featureRow(feature);
        return [...needs, ...wants];
      }),
    );
    expect(permissionNames.filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('a refusal', () => {
  const refused = { method: 'POST', path: '/containers/abc/start', status: 403 } as const;

  it('is a problem that names the request, the switches and what needs it, and once a line in the log', () => {
    const problems = new Problems();
    const recording = new RecordingLog();
    const hear = watchPermissions({ problems, log: recording.log });
    hear(refused);
    hear(refused);
    expect(problems.list()).toMatchObject([
      {
        code: 'docker-permission',
        subject: 'start',
        detail: expect.stringMatching(
          /^may not start containers \(POST \/containers\/\*\/start; CONTAINERS=1 POST=1\), needed for .*siblings/,
        ),
      },
    ]);
    expect(recording.attrsOf('docker refuses a request')).toMatchObject([
      { request: 'POST /containers/*/start', switches: ['CONTAINERS', 'POST'] },
    ]);
    hear({ ...refused, status: 204 });
    expect(problems.list()).toEqual([]);
  });

  it('of what nobody needs is passed over', () => {
    const problems = new Problems();
    const hear = watchPermissions({ problems, log: new RecordingLog().log });
    hear({ method: 'GET', path: '/info', status: 403 });
    hear({ method: 'GET', path: '/images/json', status: 403 });
    expect(problems.list()).toEqual([]);
  });
});
