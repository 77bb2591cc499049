// Who may import whom (ARCHITECTURE.md, "The house"). A package is entered only through its exports.
const tests = '(\\.test\\.ts$|/src/testing/)';
const rule = (name, from, allowed) => ({
  name,
  severity: 'error',
  from,
  to: {
    path: '^(packages|lab|test|bench|scripts)/',
    pathNot: allowed.map((folder) => `^${folder}/`),
  },
});
const only = (from, allowed) => {
  const folders = [from, ...allowed].map((name) => `packages/${name}`);
  const path = `^packages/${from}/`;
  return [
    rule(`${from}-imports-only-${allowed.join('-') || 'nothing'}`, { path, pathNot: tests }, folders),
    // Its tests may stand in the lab as well: a real engine, the fault proxy.
    rule(`tests-of-${from}-import-only-that-and-the-lab`, { path: `${path}.*${tests}` }, [...folders, 'lab']),
  ];
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...only('service', []),
    ...only('dhcp', []),
    ...only('kernel', ['service']),
    ...only('engine', ['service']),
    ...only('anchord', ['kernel', 'engine', 'dhcp', 'service']),
    ...only('backend', ['kernel', 'engine', 'dhcp', 'service']),
    {
      name: 'no-test-code-in-products',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: tests },
      to: { path: '(\\.test\\.ts$|^packages/[^/]+/src/testing/|^(lab|test|bench)/)' },
    },
    {
      name: 'only-the-kernel-door-calls-libc',
      severity: 'error',
      from: { pathNot: '^packages/kernel/src/sys/' },
      to: { path: 'node_modules/koffi' },
    },
    {
      name: 'http-the-cheap-way',
      comment:
        'Importing node:http costs a process 7 MiB: take nodeHttp() of @berth/service. Types may be imported.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { path: '^(node:)?http$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-child-processes-in-products',
      comment: 'Only the quota file systems run tools of their own.',
      severity: 'error',
      from: {
        path: '^packages/',
        pathNot: '(\\.test\\.ts$|/src/testing/|^packages/kernel/src/filesystems/)',
      },
      to: { path: '^(node:)?child_process$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.cache)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
