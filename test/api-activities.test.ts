import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Activity } from '../src/api/client.ts'
import { ACTIVITIES, madeActivities } from './fake-alida/api.ts'
import { FakeAlida } from './fake-alida/fake-alida.ts'
import { clientWithSecret, clientWithToken, rejection } from './fake-alida/test-client.ts'

let fake: FakeAlida

beforeEach(async () => {
  fake = await FakeAlida.start()
})

afterEach(async () => {
  await fake.close()
})

async function list(activities: AsyncIterable<Activity>): Promise<Activity[]> {
  const all: Activity[] = []
  for await (const activity of activities) all.push(activity)
  return all
}

function page(links: unknown, items: unknown = [{ id: 'a1' }]): void {
  fake.faults.activities.push({ kind: 'answer', status: 200, body: { items, links } })
}

describe('activities', () => {
  it('lists all pages, in order, with unknown keys', async () => {
    fake.activities = madeActivities(25)
    expect(await list(clientWithToken(fake).activities({ limit: 10 }))).toEqual(fake.activities)
    expect(fake.log.map(({ path }) => path)).toEqual([
      `${ACTIVITIES}?limit=10`,
      `${ACTIVITIES}?limit=10&offset=10`,
      `${ACTIVITIES}?limit=10&offset=20`,
    ])
  })

  it('sends filter, sort, fields and offset, and asks for no page that is not needed', async () => {
    fake.activities = madeActivities(300)
    const options = { filter: { status: 'open', projectType: 'a b&c' }, sort: 'accessedOn:d', fields: ['id', 'status'] }
    for await (const activity of clientWithToken(fake).activities({ ...options, offset: 7 })) {
      expect(activity).toEqual(fake.activities[7])
      break
    }
    expect(fake.log.map(({ path }) => path)).toEqual([
      `${ACTIVITIES}?status=open&projectType=a+b%26c&limit=100&offset=7&sort=accessedOn%3Ad&fields=id%2Cstatus`,
    ])
    await expect.poll(() => fake.connections()).toBe(0)
  })

  it('renews the token between pages', async () => {
    fake.activities = madeActivities(30)
    fake.onRequest = ({ route, path }) => {
      if (route === 'activities' && path.includes('offset=10')) fake.validTokens.delete('issued-token-0001')
    }
    expect(await list(clientWithSecret(fake).activities({ limit: 10 }))).toHaveLength(30)
    expect(fake.requests('token')).toHaveLength(2)
  })

  it('gets over faults between pages', async () => {
    fake.activities = madeActivities(30)
    fake.faults.activities = [{ kind: 'none' }, { kind: 'reset' }, { kind: 'answer', status: 500 }]
    expect(await list(clientWithToken(fake).activities({ limit: 10 }))).toEqual(fake.activities)
  })

  it('follows relative links', async () => {
    page([{ rel: 'NEXT', href: '?offset=1' }])
    page([], [{ id: 'a2' }])
    expect(await list(clientWithToken(fake).activities())).toEqual([{ id: 'a1' }, { id: 'a2' }])
    expect(fake.log[1]?.path).toBe(`${ACTIVITIES}?offset=1`)
  })

  it('follows no link to another origin, with or without secrets', async () => {
    page([{ rel: 'next', href: `${fake.storeOrigin}${ACTIVITIES}?offset=1&signature=abc` }])
    const error = await rejection(list(clientWithToken(fake).activities()))
    expect(error).toMatchObject({ code: 'ERR_API_RESPONSE' })
    expect(error.message).toContain(fake.storeOrigin)
    expect(fake.requests('store')).toHaveLength(0)
  })

  it('follows no link to a file', async () => {
    page([{ rel: 'next', href: 'file:///etc/passwd' }])
    expect(await rejection(list(clientWithToken(fake).activities()))).toMatchObject({ code: 'ERR_API_REDIRECT' })
  })

  it('ends pages that go round in a circle', async () => {
    page([{ rel: 'next', href: '?offset=1' }])
    page([{ rel: 'next', href: '?offset=2' }])
    page([{ rel: 'next', href: '?offset=1' }])
    const error = await rejection(list(clientWithToken(fake).activities()))
    expect(error).toMatchObject({ code: 'ERR_API_RESPONSE' })
    expect(fake.log).toHaveLength(3)
  })

  it('leaves out no activity, whatever its id is', async () => {
    page([], [{ id: 7 }, { name: 'b' }])
    expect(await list(clientWithToken(fake).activities())).toEqual([{ id: '7' }, { id: '', name: 'b' }])
  })

  it.each([undefined, {}, 'none', [null]])('refuses a list that is %j', async (items) => {
    fake.faults.activities = [{ kind: 'answer', status: 200, body: { items } }]
    expect(await rejection(list(clientWithToken(fake).activities()))).toMatchObject({ code: 'ERR_API_RESPONSE' })
  })

  it.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { offset: -1 }])('refuses %j', async (options) => {
    expect(await rejection(list(clientWithToken(fake).activities(options)))).toMatchObject({ code: 'ERR_OPTION' })
  })
})

describe('activityPage', () => {
  it('gives one page, its meta and the next page', async () => {
    fake.activities = madeActivities(15)
    const client = clientWithToken(fake)
    const first = await client.activityPage({ limit: 10 })
    expect(first).toMatchObject({ items: fake.activities.slice(0, 10), meta: { limit: 10, offset: 0, count: 15 } })
    const second = await client.activityPage({ page: first.next })
    expect(second).toMatchObject({ items: fake.activities.slice(10), next: undefined })
  })

  it('does not send the credentials to a page of another origin', async () => {
    const page = new URL(fake.storeOrigin)
    expect(await rejection(clientWithToken(fake).activityPage({ page }))).toMatchObject({ code: 'ERR_API_RESPONSE' })
    expect(fake.log).toHaveLength(0)
  })
})
