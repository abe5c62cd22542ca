import { slot as slotOfBackups } from '../backup/receive.ts';
import { acquireEmbedded, statusOf } from '../cluster/embedded.ts';
import { acquireServer, type Server } from '../cluster/server.ts';
import { asObjects, ask, withClient } from '../database.ts';
import { Failure, messageOf, UsageError } from '../failure.ts';
import type { Settings } from '../settings.ts';
import { isAnswer } from './answer.ts';
import { readNote } from './note.ts';
import { readNames } from './synchronous.ts';

/** What the primary knows of a standby. */
export interface Followed {
  name: string;
  /** `streaming` is as it should be, `catchup` on the way there, null: it is not connected. */
  state: string | null;
  /** `sync`: a commit waits for it. `potential`: it is the next to be waited for. `async`: it is not. */
  sync: string | null;
  /** Bytes of log that it does not have on disk, and that it does not show yet. */
  behindBytes: number | null;
  unseenBytes: number | null;
  /** Seconds between a commit and its being seen there, when last measured. */
  behindSeconds: number | null;
  /** Bytes of log the server keeps for it, and whether all that it needs is there: not when `lost`. */
  keptBytes: number | null;
  log: string | null;
}

/** What the standby in a folder of this machine says itself. */
export interface Follower {
  home: string;
  running: boolean;
  receiving?: boolean;
  /** How far it has the log: of several standbys the one that is further has all that any of them has. */
  received?: string;
  paused?: boolean;
  lastCommit?: string | null;
}

/** Something to be mended, and how. */
export interface Problem {
  problem: string;
  remedy: string;
}

/** How things stand. */
export interface Status {
  primary: { reachable: boolean; synchronous: string[]; waitingCommits: number };
  standbys: Followed[];
  /** Of the folder that was asked about. */
  here?: Follower;
  problems: Problem[];
}

/**
 * Asks the primary, as who watches it, and the standby in `folder`, when given. Starts nothing: it may be that
 * the primary must not run any more.
 * @param limit how many bytes of log a standby may lack
 */
export async function statusOfStandbys(settings: Settings, limit: number, folder?: string): Promise<Status> {
  const here = folder === undefined ? undefined : await askStandby(settings, folder);
  const asked = await askPrimary(settings).catch((error: unknown) => {
    if (error instanceof UsageError) throw error;
    return { error };
  });
  if ('error' in asked) {
    const problems = [problemOfPrimary(asked.error, settings, folder)];
    return { primary: { reachable: false, synchronous: [], waitingCommits: 0 }, standbys: [], ...(here && { here }), problems };
  }
  const { standbys, setting, waitingCommits, careless } = asked;
  const problems = [
    ...problemsOfRequirement(setting, standbys, waitingCommits, careless),
    ...problemsOf(standbys, limit),
    ...(here ? problemsHere(here) : []),
  ];
  return {
    primary: { reachable: true, synchronous: readNames(setting) ?? [setting], waitingCommits },
    standbys,
    ...(here && { here }),
    problems,
  };
}

interface Asked {
  standbys: Followed[];
  setting: string;
  waitingCommits: number;
  /** Where somebody said that commits need not be waited for. */
  careless: string[];
}

const followed = `
  select
    coalesce(slot.slot_name::text, sender.application_name) as name,
    sender.state,
    sender.sync_state as sync,
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), sender.flush_lsn)::float8 as "behindBytes",
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), sender.replay_lsn)::float8 as "unseenBytes",
    case when sender.pid is not null then coalesce(extract(epoch from sender.replay_lag), 0)::float8 end as "behindSeconds",
    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), slot.restart_lsn)::float8 as "keptBytes",
    slot.wal_status as log
  from (
    select *
    from pg_replication_slots
    where slot_type = 'physical' and not temporary and slot_name <> '${slotOfBackups}'
  ) as slot
  full join (
    select *
    from pg_stat_replication
    where state in ('startup', 'catchup', 'streaming')
      and pid not in (
        select active_pid
        from pg_replication_slots
        where active_pid is not null and (slot_type = 'logical' or slot_name = '${slotOfBackups}')
      )
  ) as sender
    on sender.pid = slot.active_pid
  order by 1`;

/** Roles and databases where commits are not waited for, whatever the server says. */
const carelessness = `
  select coalesce('role ' || nullif(setrole, 0)::regrole, 'database ' || (select datname from pg_database where oid = setdatabase))
  from pg_db_role_setting, unnest(setconfig) as entry
  where entry in ('synchronous_commit=off', 'synchronous_commit=local')
  union all
  select 'the server'
  where current_setting('synchronous_commit') in ('off', 'local')`;

async function askPrimary(settings: Settings): Promise<Asked> {
  const server = await acquireRunning(settings);
  try {
    return await withClient(server.url('hospital_monitor'), async (client) => {
      const { rows } = await ask(
        client,
        `select
           pg_is_in_recovery(),
           current_setting('synchronous_standby_names'),
           (select count(*)::integer from pg_stat_activity where wait_event = 'SyncRep')`,
      );
      const [follows, setting, waitingCommits] = rows[0] as [boolean, string, number];
      if (follows) throw new UsageError('This server is a standby itself.', 'Ask the one that it follows: INFIRMARY_HOME, or MONITOR_URL.');
      const standbys = asObjects(await ask(client, followed)) as unknown as Followed[];
      const careless = (await ask(client, carelessness)).rows.flat() as string[];
      return { standbys, setting, waitingCommits, careless };
    });
  } finally {
    await server.release();
  }
}

/** Without starting it. */
async function acquireRunning(settings: Settings): Promise<Server> {
  const isOurs = !(settings.databaseUrl ?? settings.authenticatorUrl ?? settings.workerUrl ?? settings.backupUrl ?? settings.monitorUrl);
  if (isOurs && !statusOf(settings).running) throw new Failure(`the server in ${settings.home} does not run.`);
  return acquireServer(settings);
}

async function askStandby(settings: Settings, folder: string): Promise<Follower> {
  readNote(folder);
  const own = { ...settings, home: folder };
  if (!statusOf(own).running) return { home: folder, running: false };
  const server = await acquireEmbedded(own, true);
  try {
    const found = await withClient(server.url('postgres'), (client) =>
      ask(
        client,
        `select
           exists (select from pg_stat_wal_receiver where status = 'streaming') as receiving,
           greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text as received,
           case when pg_is_in_recovery() then pg_is_wal_replay_paused() else false end as paused,
           to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "lastCommit"`,
      ),
    );
    return { home: folder, running: true, ...asObjects(found)[0] };
  } finally {
    await server.release();
  }
}

function problemOfPrimary(error: unknown, settings: Settings, folder = '<folder of the standby>'): Problem {
  if (isAnswer(error)) {
    const remedy = (error instanceof Failure && error.remedy) || 'It runs: look after what it says, and after MONITOR_URL.';
    return { problem: `The primary cannot be asked: ${messageOf(error)}`, remedy };
  }
  const start = settings.databaseUrl ? 'start it' : 'infirmary db start';
  return {
    problem: `The primary cannot be reached: ${messageOf(error)}`,
    remedy: `Can it be started: ${start}. If not, take the standby: infirmary standby promote ${folder}`,
  };
}

function problemsOf(standbys: Followed[], limit: number): Problem[] {
  if (standbys.length === 0) {
    return [{ problem: 'The server has no standby.', remedy: 'Make one: infirmary standby create --into <folder>' }];
  }
  return standbys.flatMap(({ name, state, behindBytes, unseenBytes, keptBytes, log }) => {
    const again = `Make it anew: infirmary standby create --name ${name} --into <folder> --erase`;
    if (log === 'lost') return [{ problem: `${name} stayed away too long: the log it needs is gone.`, remedy: again }];
    if (state === null) {
      return [
        {
          problem: `${name} is not connected. The server keeps ${megabytes(keptBytes)} of log for it.`,
          remedy: `Start it: infirmary standby start <folder>. Is it gone for good: infirmary standby drop --name ${name}`,
        },
      ];
    }
    if (log === 'unreserved') return [{ problem: `${name} is about to lose the log it needs.`, remedy: again }];
    if (behindBytes !== null && behindBytes > limit) {
      return [
        {
          problem: `${name} lacks the last ${megabytes(behindBytes)} of the log: with the primary they would be lost.`,
          remedy: 'Look after the network between the two, and the disk of the standby.',
        },
      ];
    }
    if (unseenBytes !== null && unseenBytes > limit) {
      return [
        {
          problem: `${name} has the log, and does not show the last ${megabytes(unseenBytes)} of it.`,
          remedy: 'A long query there holds it up, or it was paused: as its superuser, select pg_wal_replay_resume()',
        },
      ];
    }
    return [];
  });
}

function problemsOfRequirement(setting: string, standbys: Followed[], waiting: number, careless: string[]): Problem[] {
  if (setting === '') return [];
  const names = readNames(setting);
  const problems: Problem[] = [];
  if (!standbys.some(({ sync }) => sync === 'sync' || sync === 'quorum')) {
    const off = names?.map((name) => `infirmary standby asynchronous --name ${name}`).join('; ');
    problems.push({
      problem: `Nobody can write: commits wait for ${names?.join(' or ') ?? setting}, which is not connected (${waiting} wait now).`,
      remedy: `Start it: infirmary standby start <folder>. To go on without: ${off ?? 'alter system reset synchronous_standby_names'}`,
    });
  }
  if (careless.length > 0) {
    problems.push({
      problem: `synchronous_commit is off for ${careless.join(', ')}: what is acknowledged there may be lost.`,
      remedy: 'alter role … reset synchronous_commit, or alter database …, or alter system …',
    });
  }
  return problems;
}

function problemsHere({ home, running, receiving, paused }: Follower): Problem[] {
  if (!running) return [{ problem: `The standby in ${home} does not run.`, remedy: `infirmary standby start ${home}` }];
  if (!receiving) return [{ problem: `The standby in ${home} receives nothing.`, remedy: `Its log says why: ${home}/server.log` }];
  if (paused) return [{ problem: `The standby in ${home} was paused.`, remedy: 'As its superuser: select pg_wal_replay_resume()' }];
  return [];
}

function megabytes(bytes: number | null): string {
  return `${((bytes ?? 0) / 1e6).toFixed(1)} MB`;
}
