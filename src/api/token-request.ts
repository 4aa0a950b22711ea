/** `POST /oauth2/token`: the only request that carries client id and secret. */

import { ApiError } from '../errors.ts'
import type { Connection, HttpRequest, HttpResponse } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { networkFailure } from './network-failure.ts'
import { Operation } from './operation.ts'
import { plainUrl } from './redaction.ts'
import { discard, failureReport, jsonObject, statusError, statusFailure, statusMayPass } from './response.ts'
import { withRetries } from './retry.ts'
import type { SessionParts } from './session.ts'
import { CLIENT_ADVICE } from './status-advice.ts'
import type { IssuedToken, IssueToken } from './token.ts'

interface ClientCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

export type TokenRequestParts = Omit<SessionParts, 'tokens'>

const WHAT = 'the request for a token'

/**
 * Returns a function that requests a new token. A 4xx answer is ERR_API_AUTH; other failures are retried like any
 * request.
 */
export function tokenIssuer(credentials: ClientCredentials, parts: TokenRequestParts): IssueToken {
  const request = tokenRequest(credentials, parts.endpoint, parts.apiKey)
  return async (signal, noteProblem) => {
    const operation = new Operation(WHAT, { signal }, parts.clock, noteProblem)
    try {
      return await withRetries(operation, parts.retry, () => issueOnce(request, operation, parts))
    } finally {
      operation.end()
    }
  }
}

/** Returns the Basic header, with id and secret unencoded: no source asks for percent-encoding. */
export function basicAuthorization({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`, 'utf8').toString('base64')}`
}

function tokenRequest(credentials: ClientCredentials, endpoint: Endpoint, apiKey: string | undefined): HttpRequest {
  return {
    method: 'POST',
    url: endpoint.tokenUrl(),
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basicAuthorization(credentials),
      ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
    },
    body: 'grant_type=client_credentials',
  }
}

async function issueOnce(request: HttpRequest, operation: Operation, parts: TokenRequestParts): Promise<IssuedToken> {
  const { url } = request
  const response = await send(parts.connection, request, operation, parts)
  if (response.statusCode >= 400) {
    const advice = statusMayPass(response.statusCode) ? undefined : CLIENT_ADVICE
    const answer = { what: WHAT, url, response, report: await failureReport(response, parts.redactor), advice }
    throw statusMayPass(response.statusCode)
      ? statusFailure(answer, parts.clock.now())
      : statusError(answer, 'ERR_API_AUTH')
  }
  if (response.statusCode >= 300) {
    discard(response)
    throw new ApiError('ERR_API_REDIRECT', `${WHAT}: a redirect is not followed with client id and secret`, {
      status: response.statusCode,
      url: plainUrl(url),
    })
  }
  return issuedToken(await readAnswer(response, url, operation, parts), parts)
}

async function send(connection: Connection, request: HttpRequest, operation: Operation, parts: TokenRequestParts) {
  try {
    return await connection.send(request, operation.signal)
  } catch (error) {
    throw operation.failure ?? networkFailure(error, WHAT, request.url, parts.redactor)
  }
}

async function readAnswer(response: HttpResponse, url: URL, operation: Operation, parts: TokenRequestParts) {
  try {
    return await jsonObject(response.body, url, response.statusCode)
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw operation.failure ?? networkFailure(error, WHAT, url, parts.redactor)
  }
}

function issuedToken(answer: Record<string, unknown>, parts: TokenRequestParts): IssuedToken {
  const { access_token: token, expires_in: life } = answer
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new ApiError('ERR_API_AUTH', `${WHAT}: expected access_token in the answer, found none that can be used`, {
      url: plainUrl(parts.endpoint.tokenUrl()),
    })
  }
  parts.redactor.add(token)
  const lifeSeconds = typeof life === 'string' && life.trim() !== '' ? Number(life) : life
  const known = typeof lifeSeconds === 'number' && Number.isFinite(lifeSeconds) && lifeSeconds > 0
  return { token, lifeMs: known ? lifeSeconds * 1000 : undefined }
}
