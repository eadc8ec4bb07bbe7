import type { Form } from '../protocol/form.js'

/** What a request to an endpoint for clients brings, whatever the endpoint. */
export interface ClientRequest {
  readonly form: Form
  /** The one `Authorization` header. */
  readonly authorization: string | undefined
}
