/** Just enough SVG for two charts. Colours change with the reader's light or dark scheme; no fonts or scripts needed. */

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .faint { fill: #6e7781 }
  .axis { stroke: #8c959f; stroke-width: 1 }
  .grid { stroke: #8c959f; stroke-opacity: 0.25 }
  .s0 { fill: #0969da } .s1 { fill: #bc4c00 } .s2 { fill: #1a7f37 } .s3 { fill: #8250df } .s4 { fill: #8c959f }
  .l0 { stroke: #0969da } .l1 { stroke: #bc4c00 } .l2 { stroke: #1a7f37 } .l3 { stroke: #8250df } .l4 { stroke: #8c959f }
  polyline { fill: none; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .faint { fill: #9198a1 }
    .s0 { fill: #4493f8 } .s1 { fill: #f0883e } .s2 { fill: #3fb950 } .s3 { fill: #ab7df8 }
    .l0 { stroke: #4493f8 } .l1 { stroke: #f0883e } .l2 { stroke: #3fb950 } .l3 { stroke: #ab7df8 }
  }`

export function svg(width: number, height: number, title: string, body: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`
  return [head, `<title>${escaped(title)}</title>`, `<style>${STYLE}\n</style>`, ...body, '</svg>', ''].join('\n')
}

export function text(x: number, y: number, content: string, traits = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${traits}>${escaped(content)}</text>`
}

export function bar(x: number, y: number, width: number, height: number, series: number): string {
  return `<rect class="s${series}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="2"/>`
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return `<line class="${className}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`
}

export function polyline(points: readonly (readonly [number, number])[], series: number): string {
  const dots = points.map(([x, y]) => `<circle class="s${series}" cx="${round(x)}" cy="${round(y)}" r="3"/>`)
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')
  return [`<polyline class="l${series}" points="${path}"/>`, ...dots].join('\n')
}

/** The smallest of 1, 2, 5, 10, 20 … that is not below a number: a calm top of an axis. */
export function roundedUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10) * power
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
