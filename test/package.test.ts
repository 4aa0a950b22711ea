import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as api from '../src/index.ts'
import { VERSION } from '../src/version.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Manifest {
  version: string
  license: string
  type: string
  engines: Record<string, string>
  bin: Record<string, string>
  exports: Record<string, unknown>
  files: string[]
  scripts: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Manifest
const allDependencies = { ...manifest.dependencies, ...manifest.devDependencies }

describe('package.json', () => {
  test('says what is there', () => {
    expect(manifest.version).toBe(VERSION)
    expect(manifest).toMatchObject({
      name: 'alida-arrow',
      license: 'MIT',
      type: 'module',
      engines: { node: '>=20.18.1' },
      bin: { 'alida-arrow': 'dist/bin.js' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    })
  })

  test.for(Object.entries(allDependencies))('pins %s to one version: %s', ([, version]) => {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
  })

  test('has an apache-arrow that writes all-null columns rightly, and an undici that Node 20 can load', () => {
    const [major = 0, minor = 0] = (manifest.dependencies['apache-arrow'] ?? '').split('.').map(Number)
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(21_002)
    expect(manifest.dependencies.undici).toMatch(/^7\./)
  })

  test('asks for no older Node than its dependencies do', () => {
    const leastOf = (range: string) => {
      const [, major = 0, minor = 0, patch = 0] = (/^>=(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(range) ?? []).map(
        (digits) => Number(digits ?? 0),
      )
      return major * 1e6 + minor * 1e3 + patch
    }
    const ours = leastOf(manifest.engines.node ?? '')
    for (const name of Object.keys(manifest.dependencies)) {
      const path = `${ROOT}node_modules/${name}/package.json`
      const { engines } = JSON.parse(readFileSync(path, 'utf8')) as { engines?: { node?: string } }
      expect(leastOf(engines?.node ?? ''), `${name}: ${engines?.node}`).toBeLessThanOrEqual(ours)
    }
  })

  test('has the apache-arrow that its documentation asks programs to install', () => {
    const version = manifest.dependencies['apache-arrow']
    expect(readFileSync(`${ROOT}docs/options.md`, 'utf8')).toContain(`apache-arrow@${version}`)
  })

  test('does nothing when it is imported', () => {
    const script = `const before = process.eventNames().length
      await import('./dist/index.js')
      console.log(process.eventNames().length - before)`
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect(output).toBe('0\n')
  })

  test('runs nothing when it is installed from the registry', () => {
    for (const script of ['preinstall', 'install', 'postinstall']) expect(manifest.scripts).not.toHaveProperty(script)
  })

  test('has a lock file that names no registry and no file on this machine', () => {
    const lock = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as {
      version: string
      packages: Record<string, { resolved?: string; integrity?: string; hasInstallScript?: boolean; dev?: boolean }>
    }
    expect(lock.version).toBe(VERSION)
    for (const [path, { resolved, integrity, hasInstallScript, dev }] of Object.entries(lock.packages)) {
      expect(resolved, path).toBeUndefined()
      if (path !== '') expect(integrity, path).toMatch(/^sha512-/)
      if (path !== '' && dev !== true) expect(hasInstallScript, path).not.toBe(true)
    }
  })

  test('has dependencies whose licences allow it', () => {
    const lock = JSON.parse(readFileSync(`${ROOT}package-lock.json`, 'utf8')) as {
      packages: Record<string, { license?: string; dev?: boolean }>
    }
    const used = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true)
    expect(used.length).toBeGreaterThan(10)
    const allowed = ['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'MIT OR Apache-2.0']
    for (const [path, { license }] of used) expect(allowed, `${path}: ${license}`).toContain(license)
  })
})

const KERNELS = ['dist/decode/kernel/records.wasm', 'dist/sinks/parquet/kernel/pages.wasm']

test('the package holds the program, its sources and its papers, and nothing else', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ files, unpackedSize }] = JSON.parse(output) as [{ files: { path: string }[]; unpackedSize: number }]
  const paths = files.map(({ path }) => path)
  const kinds = [
    /^(CHANGELOG\.md|LICENSE|README\.md|package\.json)$/,
    /^dist\/[\w/-]+\.(js|js\.map|d\.ts|d\.ts\.map)$/,
    // The command and its threads are bundled.
    /^dist\/(chunk-\w+\.js|THIRD-PARTY-LICENSES\.txt)$/,
    /^dist\/[\w/-]+\/kernel\/\w+\.wasm$/,
    /^src\/[\w/-]+((\.d)?\.ts|\/assembly\/tsconfig\.json)$/,
  ]
  expect(paths.filter((path) => !kinds.some((kind) => kind.test(path)))).toEqual([])
  for (const path of [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
    'dist/bin.js',
    'dist/index.d.ts',
    ...KERNELS,
  ]) {
    expect(paths).toContain(path)
  }
  for (const path of paths.filter((name) => /^src\/.*(?<!\.d)\.ts$/.test(name) && !name.includes('/assembly/'))) {
    const built = path.replace(/^src/, 'dist').replace(/\.ts$/, '')
    const bundle = /^dist\/(?:parallel|read-back)\/(\w+-worker)$/.exec(built)?.[1]
    const files = bundle === undefined ? [`${built}.js`, `${built}.d.ts`] : [`dist/${bundle}.js`]
    expect(paths).toEqual(expect.arrayContaining(files))
  }
  expect(unpackedSize).toBeLessThan(6e6)
})

test('the library exports just these names', () => {
  expect(Object.keys(api).sort()).toEqual([
    'AbortError',
    'ApiError',
    'DefinitionError',
    'ExportClient',
    'ExportError',
    'JsonSyntaxError',
    'LimitError',
    'OptionError',
    'OutputError',
    'SourceError',
    'VERSION',
    'ValueError',
    'convertExport',
    'isExportError',
    'readCodebook',
    'readExport',
    'verifyExport',
    'writeCodebook',
    'writeIpc',
    'writeParquet',
    'writeStar',
  ])
})

test('its types compile in a program that checks all of them, and show nothing internal', () => {
  const compile = () => execFileSync('node_modules/.bin/tsc', ['-p', 'test/consumer'], { cwd: ROOT, encoding: 'utf8' })
  expect(compile()).toBe('')
})

/** Files of the project, by path from its root. */
function projectFiles(folder = ''): string[] {
  const skipped = ['node_modules', 'dist', '.git', '.venv', '.tmp', '.build']
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.includes(entry.name)) return []
    return entry.isDirectory() ? projectFiles(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]
  })
}

test('no file names a folder of the machine that it was written on', () => {
  const personal = /(?<![\w.\]])\/(?:home|Users|root|work|workspace|builds)\/[\w.]/
  const texts = projectFiles().filter((path) => /\.(ts|mjs|js|json|md|py|txt|toml|yml)$|^\.ci\/|^[A-Z]+$/.test(path))
  expect(texts.length).toBeGreaterThan(300)
  const naming = texts.filter((path) => personal.test(readFileSync(ROOT + path, 'utf8')))
  expect(naming).toEqual([])
})
