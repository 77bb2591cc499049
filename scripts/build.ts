/**
 * `npm run build`: bundles the programs into `dist/PROGRAM`, each a folder that runs with Node alone:
 *
 *   node dist/anchord/main.mjs
 *
 * BERTH_VERSION and BERTH_COMMIT name the build; without them the version of package.json and `unknown`.
 */
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { programs } from './programs.ts';
import { root } from './run.ts';

const packageFile = join(root, 'package.json');
const version =
  process.env['BERTH_VERSION'] ||
  (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
const commit = process.env['BERTH_COMMIT'] || 'unknown';

/** koffi finds its native part by itself; the bundle leaves it out, and this puts it beside the bundle. */
function copyNativeParts(folder: string): void {
  const modules = join(root, 'node_modules');
  const native = join('@koromix', `koffi-linux-${process.arch}`);
  // Its sources in C come along in the package; the programs need only what Node loads.
  for (const file of globSync('**/{package.json,*.js,*.cjs,LICENSE*}', { cwd: join(modules, 'koffi') })) {
    cpSync(join(modules, 'koffi', file), join(folder, 'node_modules', 'koffi', file));
  }
  for (const name of ['package.json', 'index.js', `linux_${process.arch}`]) {
    cpSync(join(modules, native, name), join(folder, 'node_modules', native, name), { recursive: true });
  }
}

for (const program of programs) {
  const folder = join(root, 'dist', program.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const bundle = join(folder, 'main.mjs');
  await build({
    entryPoints: [join(root, program.entry)],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    external: ['koffi'],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'eof',
    sourcemap: 'external',
    sourcesContent: false,
    define: { BERTH_BUILD: JSON.stringify({ version, commit }) },
    // Bundled CommonJS asks for `require`.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  if (program.native) copyNativeParts(folder);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  process.stdout.write(
    `${program.name}: ${(statSync(bundle).size / 1000).toFixed(0)} kB in dist/${program.name}\n`,
  );
}
