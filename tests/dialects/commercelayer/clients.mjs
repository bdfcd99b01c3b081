// Runs the vendor's own clients, unmodified, against a server of Longshore.
//
// Arguments: the URL of the server, the id and the secret of an API key, the URL of a receiver of
// webhooks. Prints what the clients return, as one JSON object. Only the host of each request is
// replaced: the clients address `https://<organization>.<domain>`.

import { gunzipSync } from 'node:zlib'
import { authenticate, jwtDecode } from '@commercelayer/js-auth'
import { CommerceLayer } from '@commercelayer/sdk/bundle'

const [server, clientId, clientSecret, receiver] = process.argv.slice(2)
const DOMAIN = 'longshore.test'

const send = globalThis.fetch
const local = async (input, init) => {
  const url = new URL(input)
  return send(url.hostname.endsWith(DOMAIN) ? new URL(url.pathname + url.search, server) : url, init)
}
// The client of tokens takes no function of its own.
globalThis.fetch = local

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const token = await authenticate('client_credentials', { clientId, clientSecret, domain: DOMAIN })
const { payload } = jwtDecode(token.accessToken)
const cl = CommerceLayer({
  organization: payload.organization.slug,
  domain: DOMAIN,
  accessToken: token.accessToken,
  fetch: local,
})

const ended = async (resource, id) => {
  for (let attempt = 0; attempt < 240; attempt++) {
    const job = await resource.retrieve(id)
    if (['completed', 'interrupted'].includes(job.status)) return job
    await sleep(250)
  }
  throw new Error(`${id} did not end`)
}

const failure = async (promise) => {
  try {
    await promise
  } catch (error) {
    return { isApiError: cl.isApiError(error), status: error.status, errors: error.errors }
  }
  throw new Error('The request was not refused')
}

const webhook = await cl.webhooks.create({
  name: 'sdk',
  topic: 'exports.complete',
  callback_url: receiver,
})

const imported = await cl.imports.create({
  resource_type: 'skus',
  inputs: [
    { code: 'SDK-1', name: 'First' },
    { code: 'SDK-2', name: 'Second' },
  ],
  reference: 'sdk-import',
})
const importEnded = await ended(cl.imports, imported.id)

const created = await cl.exports.create({
  resource_type: 'skus',
  format: 'json',
  filters: { code_in: 'SDK-1,SDK-2' },
  reference: 'sdk-export',
  metadata: { group: 7 },
})
const exported = await ended(cl.exports, created.id)
const download = await send(exported.attachment_url)
const file = gunzipSync(Buffer.from(await download.arrayBuffer())).toString()

const csv = await cl.exports.create({ resource_type: 'skus', format: 'csv', fields: ['code', 'name'] })
const interrupted = await cl.exports._interrupt(csv.id).catch(() => ended(cl.exports, csv.id))

const list = await cl.exports.list({
  sort: ['-started_at'],
  pageNumber: 1,
  pageSize: 25,
  filters: { resource_type_eq: 'skus', status_eq: 'completed' },
  fields: ['status', 'records_count'],
})

const answers = {
  token: { ...token, payload },
  webhook,
  import: importEnded,
  created,
  exported,
  contentEncoding: download.headers.get('content-encoding'),
  file,
  updated: await cl.exports.update({ id: created.id, reference: 'changed', metadata: { group: 8 } }),
  interrupted,
  list: { ids: list.map((each) => each.id), meta: list.meta, first: list.first() },
  count: await cl.exports.count({ reference_eq: 'changed' }),
  events: (await cl.exports.events(created.id, { sort: ['created_at'] })).map((each) => each.name),
  included: await cl.exports.retrieve(created.id, { include: ['events'] }),
  empty: await failure(cl.exports.create({ resource_type: 'skus', filters: { code_eq: 'none' } })),
  unknown: await failure(cl.exports.create({ resource_type: 'nothing' })),
  missing: await failure(cl.exports.retrieve('exp_00000000000000000000000000')),
  webhooks: await cl.webhooks.list(),
  disabled: await cl.webhooks._disable(webhook.id),
  enabled: await cl.webhooks._enable(webhook.id),
  reset: await cl.webhooks._reset_circuit(webhook.id),
}
await sleep(2000)
answers.callbacks = await cl.webhooks.last_event_callbacks(webhook.id)
await cl.exports.delete(csv.id)
answers.deleted = await failure(cl.exports.retrieve(csv.id))
await cl.webhooks.delete(webhook.id)
answers.refused = await authenticate('client_credentials', {
  clientId,
  clientSecret: 'wrong',
  domain: DOMAIN,
})
console.log(JSON.stringify(answers))
