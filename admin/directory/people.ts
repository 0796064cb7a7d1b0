import type { DatabaseSync } from 'node:sqlite';
import { isoTime } from '@nanoclaw/protocol';
import { getAgentGroup } from '../../src/groups/agent-groups.ts';
import type { Result } from '../view.ts';
import { type Change, DONE, mayTouch, mayTouchAll, missing, OUT_OF_SCOPE, refuse } from './change.ts';
import type { By, Directory, Grant } from './index.ts';
import type { Sees } from './sight.ts';
import { cleanName, titleProblem, userIdProblem } from './words.ts';

/** Who is known, and who may do what. */

type People = Pick<
  Directory,
  | 'createUser'
  | 'renameUser'
  | 'grantRole'
  | 'revokeRole'
  | 'addMember'
  | 'removeMember'
  | 'denySender'
  | 'undenySender'
>;

export function createPeople(db: DatabaseSync, change: Change, sees: Sees): People {
  const user = db.prepare('SELECT 1 FROM users WHERE id = ?');
  const addUser = db.prepare('INSERT INTO users (id, kind, display_name, created_at) VALUES (?, ?, ?, ?)');
  const rename = db.prepare('UPDATE users SET display_name = ? WHERE id = ?');
  const grant = db.prepare(
    `INSERT INTO user_roles (user_id, role, agent_group_id, granted_by, granted_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const revoke = db.prepare('DELETE FROM user_roles WHERE user_id = ? AND role = ? AND agent_group_id IS ?');
  const roleIn = db.prepare(
    'SELECT role FROM user_roles WHERE user_id = ? AND (agent_group_id IS NULL OR agent_group_id = ?)',
  );
  const owners = db.prepare("SELECT count(*) AS n FROM user_roles WHERE role = 'owner'");
  const addMember = db.prepare(
    `INSERT INTO agent_group_members (user_id, agent_group_id, added_by, added_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const dropMember = db.prepare('DELETE FROM agent_group_members WHERE user_id = ? AND agent_group_id = ?');
  const deny = db.prepare(
    `INSERT INTO denied_senders (user_id, agent_group_id, denied_by, denied_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  const undeny = db.prepare('DELETE FROM denied_senders WHERE user_id = ? AND agent_group_id = ?');

  /** Of `granted_by` and the like: an agent or the host is no user. */
  const userOf = ({ actor }: By) => (user.get(actor) ? actor : null);

  function roleRefusal({ userId, role, agentGroupId }: Grant, by: By) {
    if (!mayTouchAll(by)) return OUT_OF_SCOPE;
    if (role === 'owner' && agentGroupId !== null) {
      return refuse('NC_USAGE', 'An owner owns everything: leave the group out.');
    }
    if (role === 'owner' && by.speakers) return refuse('NC_FORBIDDEN', 'Owners are not made or unmade by an agent.');
    if (!user.get(userId)) return missing('user', userId);
    return agentGroupId === null || getAgentGroup(db, agentGroupId) ? undefined : missing('agent', agentGroupId);
  }

  /** What is between a user and an agent; `work` says what was wrong, or notes what was done. */
  function between(
    userId: string,
    agentGroupId: string,
    { by, now, action }: { by: By; now: number; action: string },
    work: () => Result<null>,
  ): Result<null> {
    return change(by, now, (note) => {
      if (!mayTouch(by, agentGroupId) || !getAgentGroup(db, agentGroupId)) return missing('agent', agentGroupId);
      const done = work();
      if (done.ok) note({ action, subject: userId, detail: { agentGroupId } });
      return done;
    });
  }

  return {
    createUser: (id, displayName, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const problem = userIdProblem(id) ?? titleProblem(displayName ?? undefined);
        if (problem) return refuse('NC_USAGE', problem);
        if (user.get(id)) return refuse('NC_EXISTS', `${id} is known already.`);
        const name = displayName === null ? null : cleanName(displayName);
        addUser.run(id, id.slice(0, id.indexOf(':')), name, isoTime(now));
        note({ action: 'user.created', subject: id, detail: { name } });
        return DONE;
      }),
    renameUser: (id, displayName, by, now) =>
      change(by, now, (note) => {
        if (!mayTouchAll(by)) return OUT_OF_SCOPE;
        const problem = titleProblem(displayName);
        if (problem) return refuse('NC_USAGE', problem);
        if (rename.run(cleanName(displayName), id).changes === 0) return missing('user', id);
        note({ action: 'user.updated', subject: id, detail: { name: cleanName(displayName) } });
        return DONE;
      }),
    grantRole: (asked, by, now) =>
      change(by, now, (note) => {
        const { userId, role, agentGroupId } = asked;
        const refusal = roleRefusal(asked, by);
        if (refusal) return refusal;
        if (grant.run(userId, role, agentGroupId, userOf(by), isoTime(now)).changes === 0) {
          return refuse('NC_EXISTS', `${userId} has that role already.`);
        }
        note({ action: 'role.granted', subject: userId, detail: { role, agentGroupId } });
        return DONE;
      }),
    revokeRole: (asked, by, now) =>
      change(by, now, (note) => {
        const { userId, role, agentGroupId } = asked;
        const refusal = roleRefusal(asked, by);
        if (refusal) return refusal;
        if (revoke.run(userId, role, agentGroupId).changes === 0) {
          return refuse('NC_NOT_FOUND', `${userId} does not have that role.`);
        }
        if (role === 'owner' && owners.get()?.n === 0) {
          return refuse('NC_FORBIDDEN', 'It is the only owner: make somebody else one first.');
        }
        note({ action: 'role.revoked', subject: userId, detail: { role, agentGroupId } });
        return DONE;
      }),
    addMember: (userId, agentGroupId, by, now) =>
      between(userId, agentGroupId, { by, now, action: 'member.added' }, () => {
        if (!user.get(userId) || !sees(by, 'user', userId)) return missing('user', userId);
        undeny.run(userId, agentGroupId);
        const { changes } = addMember.run(userId, agentGroupId, userOf(by), isoTime(now));
        return changes > 0 ? DONE : refuse('NC_EXISTS', `${userId} is a member already.`);
      }),
    removeMember: (userId, agentGroupId, by, now) =>
      between(userId, agentGroupId, { by, now, action: 'member.removed' }, () =>
        dropMember.run(userId, agentGroupId).changes > 0
          ? DONE
          : refuse('NC_NOT_FOUND', `${userId} is no member of that agent.`),
      ),
    denySender: (userId, agentGroupId, by, now) =>
      between(userId, agentGroupId, { by, now, action: 'sender.denied' }, () => {
        const role = roleIn.get(userId, agentGroupId)?.role;
        if (role !== undefined) return refuse('NC_FORBIDDEN', `${userId} is ${role}: revoke that first.`);
        dropMember.run(userId, agentGroupId);
        const { changes } = deny.run(userId, agentGroupId, by.actor, isoTime(now));
        return changes > 0 ? DONE : refuse('NC_EXISTS', `${userId} is denied already.`);
      }),
    undenySender: (userId, agentGroupId, by, now) =>
      between(userId, agentGroupId, { by, now, action: 'sender.undenied' }, () =>
        undeny.run(userId, agentGroupId).changes > 0 ? DONE : refuse('NC_NOT_FOUND', `${userId} is not denied there.`),
      ),
  };
}
