import { Client } from 'pg';
import type { LoginRole } from '../../tools/cluster/server.ts';
import type { TestDatabase } from '../support/database.ts';
import type { Taken } from './oracle.ts';
import type { World } from './world.ts';

/** Who makes an operation: people through the functions, the owner and a superuser by raw SQL. */
export type Actor = 'reception' | 'administrator' | 'owner' | 'superuser';

export type Clients = Record<Actor, Client>;

/** An appointment as it is, whatever its state. */
export interface Row extends Taken {
  status: string;
  /** Whether it occupies its time: active, and no hold that has run out. */
  isLive: boolean;
  endsAt: number;
  override: { from: number; to: number } | null;
  staff: number[];
}

/** A connection for each actor; people's carry the claims of a live session. */
export async function connect(database: TestDatabase): Promise<Clients> {
  const open = async (role: LoginRole): Promise<Client> => {
    const client = new Client({ connectionString: database.url(role) });
    await client.connect();
    return client;
  };
  const superuser = await open('postgres');
  const person = async (role: string): Promise<Client> => {
    const client = await open('hospital_authenticator');
    const { rows } = await superuser.query<{ id: string; secret: string }>(
      `select s.session_id as id, s.session_secret as secret
       from (select tests.email_of_staff(tests.staff($1)) as email) as a
       cross join lateral tests.new_session(a.email) as s`,
      [role],
    );
    await client.query(
      `select
         set_config('role', 'hospital_' || $1, false),
         set_config('infirmary.session_id', $2, false),
         set_config('infirmary.session_secret', $3, false)`,
      [role, rows[0]!.id, rows[0]!.secret],
    );
    return client;
  };
  return {
    superuser,
    owner: await open('hospital_owner'),
    reception: await person('reception'),
    administrator: await person('administrator'),
  };
}

export async function disconnect(clients: Clients): Promise<void> {
  await Promise.all(Object.values(clients).map((client) => client.end()));
}

/** All appointments that are active, and the latest of the others. */
export async function rowsOf(client: Client, world: World, others = 40): Promise<Row[]> {
  const { rows } = await client.query<Row & { overridden: [number, number] | null }>(
    `select
       a.id::integer as id, a.doctor_id::integer as "doctorId", a.patient_id::integer as "patientId",
       a.room_id::integer as "roomId", a.appointment_type_id::integer as "kindId",
       (extract(epoch from a.starts_at) / 60)::integer as "startsAt",
       (extract(epoch from a.ends_at) / 60)::integer as "endsAt",
       (extract(epoch from lower(a.busy)) / 60)::integer as "from",
       (extract(epoch from upper(a.busy)) / 60)::integer as "to",
       a.status, a.status = 'held' as "isHeld", a.waitlist_entry_id is not null as "isOffer",
       a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
         and (a.expires_at is null or a.expires_at > clock_timestamp()) as "isLive",
       (
         select array[extract(epoch from lower(o.span)) / 60, extract(epoch from upper(o.span)) / 60]::integer[]
         from hospital.appointment_overrides as o
         where o.id = a.override_id
       ) as overridden,
       array(
         select s.staff_member_id::integer from hospital.appointment_staff as s where s.appointment_id = a.id
       ) as staff
     from hospital.appointments as a
     where a.department_id = $1
       and (
         a.status in ('held', 'scheduled', 'checked_in', 'in_progress')
         or a.id > (select max(b.id) - $2 from hospital.appointments as b)
       )
     order by a.id`,
    [world.departmentId, others],
  );
  return rows.map(({ overridden, ...row }) => ({
    ...row,
    override: overridden && { from: overridden[0], to: overridden[1] },
  }));
}
