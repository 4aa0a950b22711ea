/** Addresses of one community's API, and which URLs belong to it. */

import { ApiError, OptionError, quoted } from '../errors.ts'
import type { OptionNames } from '../option-values.ts'
import { plainUrl } from './redaction.ts'

/**
 * The form of every region code seen so far. The list of regions is not public, so other codes only cause a warning.
 */
const USUAL_REGION = /^[a-z]{2,}\d+$/
/** The region becomes part of the name of the host that gets the credentials. */
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

export interface EndpointOptions {
  /** Region ("pod") of the community, such as `na1`. Required unless `baseUrl` is given. */
  region?: string | undefined
  /** Base address instead of `https://api.{region}.alida.com`. */
  baseUrl?: string | URL | undefined
  /** The community's API key name (`communityApiKeyName`), often `panel_…`. Not a secret. */
  community: string
}

export const ENDPOINT_OPTION_NAMES: OptionNames<EndpointOptions> = { region: true, baseUrl: true, community: true }

export class Endpoint {
  readonly #base: URL
  readonly #community: string

  /** Throws OptionError; passes what is merely unusual to `warn`. */
  constructor(options: EndpointOptions, warn: (message: string) => void) {
    this.#base = baseOf(options, warn)
    this.#community = pathSegment('the community key', options.community)
  }

  get origin(): string {
    return this.#base.origin
  }

  /** Whether a request to `url` may carry the credentials. */
  owns(url: URL): boolean {
    return url.origin === this.origin
  }

  tokenUrl(): URL {
    return this.#at('oauth2/token')
  }

  /** Returns the URL of `/{version}/applications/{community}/…path`. Ids in `path` must come from `pathSegment`. */
  resource(version: 'v1' | 'v2', path: string): URL {
    return this.#at(`${version}/applications/${this.#community}/${path}`)
  }

  /**
   * Resolves a link found in an answer, absolute or relative to `from`. Throws ApiError unless it is an http(s)
   * address.
   */
  link(href: string, from: URL, what: string): URL {
    let url: URL
    try {
      url = new URL(href, from)
    } catch {
      throw new ApiError('ERR_API_RESPONSE', `expected an address as ${what}, found something else`)
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new ApiError('ERR_API_REDIRECT', `expected an http or https address as ${what}, found ${plainUrl(url)}`)
    }
    url.username = ''
    url.password = ''
    url.hash = ''
    return this.#withOwnScheme(url)
  }

  /** Changes a link to `https:` if the API, behind a proxy that terminates TLS, links to its own host with `http:`. */
  #withOwnScheme(url: URL): URL {
    if (this.#base.protocol === 'https:' && url.protocol === 'http:' && url.host === this.#base.hostname) {
      url.protocol = 'https:'
      url.port = this.#base.port
    }
    return url
  }

  #at(path: string): URL {
    return new URL(path, this.#base)
  }
}

/** Returns an id as one path segment. Throws OptionError if it is empty or would change the folder. */
export function pathSegment(what: string, value: string): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (text === '' || text === '.' || text === '..') {
    throw new OptionError('ERR_OPTION', `expected ${what}, found ${text === '' ? 'nothing' : quoted(text)}`)
  }
  return encodeURIComponent(text.toWellFormed())
}

function baseOf(options: EndpointOptions, warn: (message: string) => void): URL {
  const { region, baseUrl } = options
  if (baseUrl !== undefined) return checkedBase(baseUrl, warn)
  if (region === undefined || region.trim() === '') {
    throw new OptionError('ERR_OPTION', 'expected a region (such as na1) or a base URL, found neither')
  }
  const name = region.trim()
  if (!HOST_LABEL.test(name)) {
    throw new OptionError('ERR_OPTION', `expected a region such as na1, found ${quoted(name)}`)
  }
  if (!USUAL_REGION.test(name.toLowerCase()))
    warn(`region ${quoted(name)} does not look like one (such as na1); used as it is`)
  return new URL(`https://api.${name.toLowerCase()}.alida.com/`)
}

function checkedBase(baseUrl: string | URL, warn: (message: string) => void): URL {
  const text = String(baseUrl)
  if (!URL.canParse(text)) throw new OptionError('ERR_OPTION', 'expected a base URL such as https://api.na1.alida.com')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new OptionError('ERR_OPTION', `expected an https base URL, found ${url.protocol}`)
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new OptionError('ERR_OPTION', 'expected a base URL without user, password and query')
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    warn(`the base URL ${url.origin} is not encrypted: credentials and answers can be read on the way`)
  }
  url.hash = ''
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}
