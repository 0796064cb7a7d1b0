import type { ServerResponse } from 'node:http';

export type ApiErrorType =
  | 'authentication_error'
  | 'permission_error'
  | 'invalid_request_error'
  | 'rate_limit_error'
  | 'api_error';

/** An error in the model API's own shape, so that a harness shows its message. */
export function replyApiError(reply: ServerResponse, status: number, type: ApiErrorType, message: string): void {
  send(reply, status, 'application/json', JSON.stringify({ type: 'error', error: { type, message } }));
}

export function replyText(reply: ServerResponse, status: number, text: string): void {
  send(reply, status, 'text/plain; charset=utf-8', text);
}

function send(reply: ServerResponse, status: number, type: string, body: string): void {
  if (reply.destroyed || reply.headersSent) return;
  reply.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  reply.end(body);
}
