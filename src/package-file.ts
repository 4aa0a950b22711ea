/**
 * Compiled files that come with the code, by their path from the folder of the package's entry point. All are found from
 * here: the command is bundled into that folder, and sources that run as they are use what was built from them.
 */

import { readFileSync } from 'node:fs'

const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../dist/' : './', import.meta.url)

export function packageFile(path: string): URL {
  return new URL(path, FOLDER)
}

const modules = new Map<string, WebAssembly.Module>()

/** A compiled kernel, once a thread. */
export function packageModule(path: string): WebAssembly.Module {
  const module = modules.get(path) ?? new WebAssembly.Module(readFileSync(packageFile(path)))
  modules.set(path, module)
  return module
}
