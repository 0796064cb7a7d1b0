import { chatsOf, usersOf } from '../../admin/directory/sight.ts';

/**
 * What can be listed and named: each kind with its columns and with what of it an agent of scope `group` sees. Nothing is
 * looked up but through these, so that what is foreign and what doesn't exist are the same to such an agent.
 */

/** What can be named in a command. `target`: a chat or an agent group. */
export type RefKind = 'group' | 'chat' | 'wiring' | 'user' | 'denial' | 'session' | 'approval' | 'task' | 'target';

/** What can be listed. */
export type ListKind = Exclude<RefKind, 'target'> | 'role' | 'member' | 'destination' | 'user-dm' | 'dropped-message';

/** SQL, or how its value is to be read besides. */
export type Column = string | { sql: string; as: 'flag' | 'json' };

export interface Kind {
  /** For a sentence. */
  word: string;
  columns: Readonly<Record<string, Column>>;
  from: string;
  id?: string;
  /** What all its ids begin with, where people are shown them without. */
  head?: string;
  names?: readonly string[];
  /** A name that it had: where nothing has it now, the newest that had it is meant. */
  formerName?: string;
  /** SQL: whether it is of the agent group `:scope`. */
  scope: string;
  order: string;
}

const flag = (sql: string): Column => ({ sql, as: 'flag' });
const json = (sql: string): Column => ({ sql, as: 'json' });
const chatName = "ifnull(m.name, m.channel_type || '/' || m.platform_id)";
const userName = (alias: string) => `ifnull(${alias}.display_name, ${alias}.id)`;

export const KINDS: Readonly<Record<ListKind, Kind>> = {
  group: {
    word: 'agent',
    columns: {
      id: 'g.id',
      name: 'g.name',
      folder: 'g.folder',
      provider: 'c.provider',
      model: 'c.model',
      effort: 'c.effort',
      assistantName: 'c.assistant_name',
      timezone: 'c.timezone',
      maxMessagesPerPrompt: 'c.max_messages_per_prompt',
      egress: 'c.egress',
      egressAllow: json('c.egress_allow'),
      cliScope: 'c.cli_scope',
      history: 'c.history',
      mcpServers: json('c.mcp_servers'),
      additionalMounts: json('c.additional_mounts'),
      skills: 'c.skills',
      instructions: 'c.instructions',
      createdAt: 'g.created_at',
    },
    from: 'agent_groups g JOIN container_configs c ON c.agent_group_id = g.id',
    id: 'g.id',
    names: ['g.name', 'g.folder'],
    scope: 'g.id = :scope',
    order: 'g.uid_ordinal',
  },
  chat: {
    word: 'chat',
    columns: {
      id: 'm.id',
      channelType: 'm.channel_type',
      platformId: 'm.platform_id',
      name: 'm.name',
      isGroup: flag('m.is_group'),
      unknownSenderPolicy: 'm.unknown_sender_policy',
      agents: json(
        `(SELECT json_group_array(g.name) FROM messaging_group_agents w JOIN agent_groups g ON g.id = w.agent_group_id
          WHERE w.messaging_group_id = m.id AND (:scope IS NULL OR g.id = :scope))`,
      ),
      deniedAt: 'm.denied_at',
      leftAt: 'm.left_at',
      createdAt: 'm.created_at',
    },
    from: 'messaging_groups m',
    id: 'm.id',
    names: ['m.name', "m.channel_type || '/' || m.platform_id"],
    scope: chatsOf('m.id'),
    order: 'm.rowid DESC',
  },
  wiring: {
    word: 'wiring',
    columns: {
      id: 'w.id',
      messagingGroupId: 'w.messaging_group_id',
      chat: chatName,
      channelType: 'm.channel_type',
      platformId: 'm.platform_id',
      agentGroupId: 'w.agent_group_id',
      agent: 'g.name',
      sessionMode: 'w.session_mode',
      engageMode: 'w.engage_mode',
      engagePattern: 'w.engage_pattern',
      senderScope: 'w.sender_scope',
      ignoredMessagePolicy: 'w.ignored_message_policy',
      priority: 'w.priority',
      exclusive: flag('w.exclusive'),
      createdAt: 'w.created_at',
    },
    from: `messaging_group_agents w JOIN messaging_groups m ON m.id = w.messaging_group_id
      JOIN agent_groups g ON g.id = w.agent_group_id`,
    id: 'w.id',
    scope: 'w.agent_group_id = :scope',
    order: 'w.rowid DESC',
  },
  user: {
    word: 'user',
    columns: {
      id: 'u.id',
      kind: 'u.kind',
      displayName: 'u.display_name',
      roles: json(
        `(SELECT json_group_array(r.role || ifnull(' of ' || g.name, '')) FROM user_roles r
          LEFT JOIN agent_groups g ON g.id = r.agent_group_id
          WHERE r.user_id = u.id AND (:scope IS NULL OR r.agent_group_id IS NULL OR r.agent_group_id = :scope))`,
      ),
      createdAt: 'u.created_at',
    },
    from: 'users u',
    id: 'u.id',
    names: ['u.display_name'],
    scope: usersOf('u.id'),
    order: 'u.rowid DESC',
  },
  role: {
    word: 'role',
    columns: {
      userId: 'r.user_id',
      user: userName('u'),
      role: 'r.role',
      agentGroupId: 'r.agent_group_id',
      agent: 'g.name',
      grantedBy: 'r.granted_by',
      grantedAt: 'r.granted_at',
    },
    from: 'user_roles r JOIN users u ON u.id = r.user_id LEFT JOIN agent_groups g ON g.id = r.agent_group_id',
    scope: 'r.agent_group_id = :scope',
    order: 'r.rowid DESC',
  },
  member: {
    word: 'member',
    columns: {
      userId: 'e.user_id',
      user: userName('u'),
      agentGroupId: 'e.agent_group_id',
      agent: 'g.name',
      addedBy: 'e.added_by',
      addedAt: 'e.added_at',
    },
    from: 'agent_group_members e JOIN users u ON u.id = e.user_id JOIN agent_groups g ON g.id = e.agent_group_id',
    scope: 'e.agent_group_id = :scope',
    order: 'e.rowid DESC',
  },
  // Of whoever was refused: a stranger has no row among the users.
  denial: {
    word: 'refused user',
    columns: {
      userId: 'e.user_id',
      user: 'ifnull(u.display_name, e.user_id)',
      agentGroupId: 'e.agent_group_id',
      agent: 'g.name',
      deniedBy: 'e.denied_by',
      deniedAt: 'e.denied_at',
    },
    from: 'denied_senders e LEFT JOIN users u ON u.id = e.user_id JOIN agent_groups g ON g.id = e.agent_group_id',
    id: 'e.user_id',
    names: ['u.display_name'],
    scope: 'e.agent_group_id = :scope',
    order: 'e.rowid DESC',
  },
  destination: {
    word: 'destination',
    columns: {
      agentGroupId: 'd.agent_group_id',
      agent: 'g.name',
      name: 'd.local_name',
      targetType: 'd.target_type',
      targetId: 'd.target_id',
      target: `ifnull(t.name, ${chatName})`,
      createdAt: 'd.created_at',
    },
    from: `agent_destinations d JOIN agent_groups g ON g.id = d.agent_group_id
      LEFT JOIN agent_groups t ON d.target_type = 'agent' AND t.id = d.target_id
      LEFT JOIN messaging_groups m ON d.target_type = 'channel' AND m.id = d.target_id`,
    scope: 'd.agent_group_id = :scope',
    order: 'd.rowid DESC',
  },
  session: {
    word: 'session',
    columns: {
      id: 's.id',
      agentGroupId: 's.agent_group_id',
      agent: 'g.name',
      messagingGroupId: 's.messaging_group_id',
      chat: `CASE WHEN m.id IS NULL THEN 'all chats' ELSE ${chatName} END`,
      channelType: "ifnull(m.channel_type, '')",
      platformId: "ifnull(m.platform_id, '')",
      threadId: 's.thread_id',
      status: 's.status',
      state: "ifnull((SELECT value FROM json_each(:live) WHERE key = s.id), 'idle')",
      provider: 's.provider',
      model: 's.model',
      effort: 's.effort',
      pending: `(SELECT count(*) FROM messages q INDEXED BY messages_open WHERE q.session_id = s.id AND q.direction = 'in'
        AND q.status IN ('pending', 'paused') AND q.trigger = 1)`,
      lastActivity: 's.last_active',
      createdAt: 's.created_at',
    },
    from: `sessions s JOIN agent_groups g ON g.id = s.agent_group_id
      LEFT JOIN messaging_groups m ON m.id = s.messaging_group_id`,
    id: 's.id',
    scope: 's.agent_group_id = :scope',
    order: 's.last_active DESC, s.rowid DESC',
  },
  task: {
    word: 'task',
    columns: {
      id: 't.id',
      name: 't.name',
      agentGroupId: 't.agent_group_id',
      agent: 'g.name',
      messagingGroupId: 't.messaging_group_id',
      destination: `(SELECT d.local_name FROM agent_destinations d WHERE d.agent_group_id = t.agent_group_id
        AND d.target_type = 'channel' AND d.target_id = t.messaging_group_id ORDER BY d.local_name LIMIT 1)`,
      threadId: 't.thread_id',
      status: 't.status',
      reason: 't.reason',
      schedule: 't.schedule',
      timezone: 't.timezone',
      catchUp: 't.catch_up',
      nextAt: 't.next_at',
      failures: 't.failures',
      lastRun: '(SELECT fired_at FROM task_runs r WHERE r.task_id = t.id ORDER BY r.id DESC LIMIT 1)',
      lastStatus:
        "(SELECT ifnull(status, 'running') FROM task_runs r WHERE r.task_id = t.id ORDER BY r.id DESC LIMIT 1)",
      prompt: 't.prompt',
      script: 't.script',
      createdBy: 't.created_by',
      createdAt: 't.created_at',
    },
    from: 'tasks t JOIN agent_groups g ON g.id = t.agent_group_id',
    id: 't.id',
    head: 'task-',
    // One that has ended gives its name away.
    names: ["CASE WHEN t.status IN ('active', 'paused') THEN t.name END"],
    formerName: 't.name',
    scope: 't.agent_group_id = :scope',
    order: "t.status NOT IN ('active', 'paused'), ifnull(t.next_at, '~'), t.rowid DESC",
  },
  'user-dm': {
    word: 'direct chat',
    columns: {
      userId: 'd.user_id',
      user: userName('u'),
      channelType: 'd.channel_type',
      messagingGroupId: 'd.messaging_group_id',
      platformId: 'm.platform_id',
      resolvedAt: 'd.resolved_at',
    },
    from: 'user_dms d JOIN users u ON u.id = d.user_id JOIN messaging_groups m ON m.id = d.messaging_group_id',
    scope: 'FALSE',
    order: 'd.rowid DESC',
  },
  'dropped-message': {
    word: 'dropped message',
    columns: {
      channelType: 'x.channel_type',
      platformId: 'x.platform_id',
      reason: 'x.reason',
      count: 'x.count',
      firstSeen: 'x.first_seen',
      lastSeen: 'x.last_seen',
      sampleSender: 'x.sample_sender',
    },
    from: 'dropped_messages x',
    scope: 'FALSE',
    order: 'x.last_seen DESC, x.rowid DESC',
  },
  approval: {
    word: 'approval',
    columns: {
      id: 'p.id',
      kind: 'p.kind',
      status: 'p.status',
      title: 'p.title',
      body: 'p.body',
      subject: 'p.subject',
      agentGroupId: 'p.agent_group_id',
      sessionId: 'p.session_id',
      requestedBy: 'p.requested_by',
      channelType: 'p.channel_type',
      platformId: 'p.platform_id',
      threadId: 'p.thread_id',
      options: json("(SELECT json_group_array(json_extract(value, '$.label')) FROM json_each(p.options))"),
      more: 'p.more',
      createdAt: 'p.created_at',
      expiresAt: 'p.expires_at',
      decidedAt: 'p.decided_at',
      decidedBy: 'p.decided_by',
      result: 'p.result',
    },
    from: 'approvals p',
    id: 'p.id',
    head: 'appr-',
    // What it asked for itself: those about strangers at its door are for its admins.
    scope: 'p.session_id IN (SELECT id FROM sessions WHERE agent_group_id = :scope)',
    order: 'p.created_at DESC, p.rowid DESC',
  },
};
