// Makes one file each of the command and of its worker threads, apache-arrow included, in the place of what tsc made of
// them: loading some hundred files takes longer than converting a small export. What is rarely used stays in chunks of
// its own, or outside. The library is left as tsc made it: its callers share apache-arrow with it.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** Threads load one file each, without chunks that others load as well: they share nothing but the disk. */
const WORKERS = ['parallel/piece-worker', 'parallel/stream-worker', 'read-back/parquet-worker']

/** Loaded when needed, from where they are installed. */
const EXTERNAL = ['parquet-wasm', 'stream-json', 'stream-chain', 'htmlparser2', 'csv-stringify', 'any-ascii']

/** The whole of undici is for proxies only; its parts for requests are loaded by every `fetch`. */
const undiciApart = {
  name: 'undici-apart',
  setup: (build) => build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', external: true })),
}

for (const name of readdirSync('dist')) if (/^chunk-\w+\.js$/.test(name)) rmSync(join('dist', name))

const OPTIONS = {
  // All in the folder that `packageFile` takes paths from.
  outdir: 'dist',
  chunkNames: 'chunk-[hash]',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify: true,
  legalComments: 'none',
  external: EXTERNAL,
  plugins: [undiciApart],
  metafile: true,
  // Packages of the older kind among those that are bundled call it.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
}

const bundles = await Promise.all([
  build({ ...OPTIONS, entryPoints: ['src/bin.ts'], splitting: true }),
  build({ ...OPTIONS, entryNames: '[name]', entryPoints: WORKERS.map((name) => `src/${name}.ts`) }),
])

rmSync('dist/bin.js.map', { force: true })
// Nothing imports them where tsc put them.
for (const name of WORKERS) {
  for (const ending of ['js', 'js.map', 'd.ts', 'd.ts.map']) rmSync(`dist/${name}.${ending}`, { force: true })
}
chmodSync('dist/bin.js', 0o755)
writeFileSync('dist/THIRD-PARTY-LICENSES.txt', licences(bundledPackages()))

function bundledPackages() {
  const inputs = bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const paths = inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
  return [...new Set(paths.filter((name) => name !== undefined))].sort()
}

function licences(packages) {
  const parts = packages.map((name) => {
    const folder = join('node_modules', name)
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file))
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
    return [`${name} ${version} (${license})`, ...texts].join('\n\n')
  })
  return `The command alida-arrow contains these packages.\n\n${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}
