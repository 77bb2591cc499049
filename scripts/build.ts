/**
 * `npm run build`: bundles the programs into `dist/PROGRAM`, each a folder that runs with Node alone:
 *
 *   node dist/anchord/main.mjs
 *
 * What is imported while it runs (a mode, a command) is a chunk of its own, so a process reads only what it needs.
 *
 * BERTH_VERSION and BERTH_COMMIT name the build; without them the version of package.json and `unknown`.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { type Program, programs } from './programs.ts';
import { root } from './run.ts';

const packageFile = join(root, 'package.json');
const version =
  process.env['BERTH_VERSION'] ||
  (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
const commit = process.env['BERTH_COMMIT'] || 'unknown';

/** The native part of koffi, which the bundle loads without the JavaScript around it. */
function copyNativePart(folder: string): void {
  const modules = join(root, 'node_modules');
  const built = join('@koromix', `koffi-linux-${process.arch}`, `linux_${process.arch}`, 'koffi.node');
  cpSync(join(modules, built), join(folder, 'koffi.node'));
  cpSync(join(modules, 'koffi', 'LICENSE.txt'), join(folder, 'koffi.LICENSE.txt'));
}

/**
 * Modules of Node, without the import statement, which reads every export of a module: some are lazy doors to a lot more.
 * `node:fs` alone would bring its streams and promises along, more than a tenth of a second of a busy machine.
 */
const nativeModules: Plugin = {
  name: 'native modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      // Whoever imports one while the program runs wants all of it, under its own names.
      kind === 'dynamic-import' ? { path, external: true } : { path, namespace: 'node', sideEffects: false },
    );
    onLoad({ filter: /.*/, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
    // What is around koffi's native part looks for it, and wraps what is deprecated.
    onResolve({ filter: /^koffi$/ }, ({ path }) => ({ path, namespace: 'native' }));
    onLoad({ filter: /.*/, namespace: 'native' }, () => ({
      contents: "module.exports = require('./koffi.node');",
    }));
    onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** Bundled CommonJS asks for `require`. */
const givesRequire = "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);";

/** What is imported while the program runs, and is bundled by itself. */
const apart = ({ quick }: Program): Plugin => ({
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, kind }) =>
      quick !== undefined &&
      kind === 'dynamic-import' &&
      resolve(resolveDir, path) === join(root, quick.entry)
        ? { path: `./${quick.name}.mjs`, external: true }
        : undefined,
    );
  },
});

const common = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  metafile: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  sourcemap: 'external',
  sourcesContent: false,
  define: { BERTH_BUILD: JSON.stringify({ version, commit }) },
  banner: { js: givesRequire },
  logLevel: 'warning',
} as const satisfies BuildOptions;

for (const program of programs) {
  const folder = join(root, 'dist', program.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { quick, entry } = program;
  const outputs = [
    await build({
      ...common,
      outdir: folder,
      entryPoints: { main: join(root, entry) },
      chunkNames: '[name]-[hash]',
      splitting: true,
      plugins: [nativeModules, apart(program)],
    }),
  ];
  if (quick !== undefined) {
    const entryPoints = { [quick.name]: join(root, quick.entry) };
    outputs.push(await build({ ...common, outdir: folder, entryPoints, plugins: [nativeModules] }));
  }
  if (program.native) copyNativePart(folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  const bytes = outputs
    .flatMap(({ metafile }) => Object.entries(metafile.outputs))
    .filter(([path]) => path.endsWith('.mjs'))
    .reduce((sum, [, output]) => sum + output.bytes, 0);
  process.stdout.write(`${program.name}: ${(bytes / 1000).toFixed(0)} kB in dist/${program.name}\n`);
}
