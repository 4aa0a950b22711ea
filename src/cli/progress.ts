/** Shows a progress line during long commands: on standard error, and only if that is a terminal. */

import type { SingleBar } from 'cli-progress'
import type { ReadProgress } from '../reader.ts'
import { byteRate, byteSize, count, duration } from './figures.ts'

interface ProgressLine {
  stop(): void
}

const REDRAW_MILLISECONDS = 100

const NO_PROGRESS: ProgressLine = { stop: () => undefined }

/** Starts a progress line; does nothing unless `isShown`. */
export async function showProgress(isShown: boolean, current: () => ReadProgress | undefined): Promise<ProgressLine> {
  return showLine(isShown, '{bar} {percentage}% {facts}', (bar, milliseconds) => {
    const progress = current()
    if (progress === undefined) return
    bar.setTotal(progress.totalBytes ?? Math.max(progress.bytesRead, 1))
    bar.update(progress.bytesRead, { facts: facts(progress, milliseconds) })
  })
}

/** Starts a line of words and elapsed time, for progress that cannot be measured; does nothing unless `isShown`. */
export async function showWaiting(isShown: boolean, words: () => string): Promise<ProgressLine> {
  return showLine(isShown, '{facts}', (bar, milliseconds) => {
    bar.update(0, { facts: `${words()} · ${duration(milliseconds)}` })
  })
}

async function showLine(
  isShown: boolean,
  format: string,
  redraw: (bar: SingleBar, milliseconds: number) => void,
): Promise<ProgressLine> {
  if (!isShown || !process.stderr.isTTY) return NO_PROGRESS
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    format,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  })
  const started = performance.now()
  bar.start(1, 0, { facts: '' })
  const timer = setInterval(() => redraw(bar, performance.now() - started), REDRAW_MILLISECONDS)
  return {
    stop: () => {
      clearInterval(timer)
      bar.stop()
    },
  }
}

function facts(progress: ReadProgress, milliseconds: number): string {
  const { bytesRead, totalBytes } = progress
  const parts = [
    totalBytes === undefined ? byteSize(bytesRead) : `${byteSize(bytesRead)} of ${byteSize(totalBytes)}`,
    byteRate(progress.documentBytes, milliseconds),
    `${count(progress.records)} records`,
  ]
  if (totalBytes !== undefined && bytesRead > 0) {
    parts.push(`${duration((milliseconds / bytesRead) * (totalBytes - bytesRead))} left`)
  }
  return parts.join(' · ')
}
