/**
 * Files that come with the code, by their path from the folder of the package's entry point. All are found from here:
 * the command is bundled into that folder.
 */

import { readFileSync } from 'node:fs'

export function packageFile(path: string): URL {
  return new URL(`./${path}`, import.meta.url)
}

const modules = new Map<string, WebAssembly.Module>()

/** A compiled kernel, once a thread. */
export function packageModule(path: string): WebAssembly.Module {
  const module = modules.get(path) ?? new WebAssembly.Module(readFileSync(packageFile(path)))
  modules.set(path, module)
  return module
}
