import type { ChannelHealth, DeliveryResult } from '../../src/channels/adapter.ts';
import { errorText } from '../../src/errors.ts';
import { Lost } from '../http/lost.ts';
import { Refusal } from './api.ts';

/** What a failed call means. Pure. */

type NotSent = Exclude<DeliveryResult, { status: 'sent' }>;

/** A token that was revoked, or whose owner or workspace went. */
const AUTH = new Set([
  ...['invalid_auth', 'not_authed', 'account_inactive', 'token_revoked', 'token_expired', 'app_uninstalled'],
  ...['org_login_required', 'user_removed_from_team', 'team_access_not_granted', 'not_allowed_token_type'],
]);
/** Slack says of these that a part of it may have been done. */
const UNSURE = new Set(['internal_error', 'fatal_error']);
const PASSING = new Set([
  ...['ratelimited', 'rate_limited', 'service_unavailable', 'request_timeout', 'team_added_to_org'],
  ...['message_limit_exceeded', 'accesslimited'],
]);
const DEFAULT_REST_MS = 5_000;

export function isAuth(error: unknown): boolean {
  return error instanceof Refusal && AUTH.has(error.code);
}

export function isRateLimit(error: unknown): boolean {
  return error instanceof Refusal && /^rate_?limited$/.test(error.code);
}

/** For what is to be sent. */
export function outcomeOf(error: unknown, isConnected: boolean): NotSent {
  if (error instanceof Lost && !error.unsent) return { status: 'unknown', error: error.message };
  if (!(error instanceof Refusal)) {
    // While nothing is heard either, it waits for the way back, however long that takes.
    return { status: 'failed', retryable: true, error: errorText(error), ...(!isConnected && { offline: true }) };
  }
  const said = `Slack refuses: ${error.message}`;
  if (UNSURE.has(error.code)) return { status: 'unknown', error: said };
  if (isAuth(error)) return { status: 'failed', retryable: true, offline: true, error: said };
  if (!PASSING.has(error.code)) return { status: 'failed', retryable: false, error: said };
  const wait = isRateLimit(error) ? { retryAfterMs: error.retryAfterMs ?? DEFAULT_REST_MS } : {};
  return { status: 'failed', retryable: true, error: said, ...wait };
}

/** For the connection, and for a test of the tokens. */
export function healthBy(error: unknown, which: 'bot' | 'app'): ChannelHealth {
  const setting = which === 'bot' ? "the bot's token (BOT_TOKEN, xoxb-…)" : 'the app token (APP_TOKEN, xapp-…)';
  if (error instanceof Lost) return { state: 'connecting', detail: `Slack can't be reached: ${error.message}` };
  if (!(error instanceof Refusal)) return { state: 'connecting', detail: errorText(error) };
  if (error.code === 'missing_scope') {
    return {
      state: 'failed',
      detail: `A scope is missing: ${error.needed ?? 'see docs/channels/slack.md'}. Add it to ${setting}, and install the app again.`,
    };
  }
  if (isAuth(error)) {
    return {
      state: 'failed',
      detail: `Slack refuses ${setting}: ${error.code}. Copy it anew from api.slack.com/apps, and give it to \`ncl channels add slack\`.`,
    };
  }
  if (error.code === 'socket_mode_disabled' || error.code === 'link_disabled')
    return { state: 'failed', detail: SOCKET_OFF };
  return { state: 'connecting', detail: `Slack refuses for now: ${error.message}` };
}

const SOCKET_OFF =
  'Socket Mode is switched off for this app. Switch it on at api.slack.com/apps: Settings, Socket Mode.';
