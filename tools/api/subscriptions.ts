import type { Pool } from 'pg';
import { constant, context, listen } from 'postgraphile/grafast';
import { jsonParse } from 'postgraphile/@dataplan/json';
import { extendSchema } from 'postgraphile/utils';
import type { GraphileConfig } from 'graphile-config';
import { refusal } from './errors.ts';
import type { Identity } from './identity.ts';
import { asCaller } from './transaction.ts';

/** Where notifications come from: PostGraphile's one listening connection. */
export interface EventSource {
  subscribe(topic: string): AsyncIterableIterator<string> | Promise<AsyncIterableIterator<string>>;
}

/** What GraphQL's context offers to a subscription: the events of whoever is asking, and of nobody else. */
export interface OwnEvents {
  subscribe(): Promise<AsyncIterableIterator<string>>;
}

/** The same for a doctor's free time, by the doctor's key. */
export interface FreeTimeEvents {
  subscribe(doctorId: string): Promise<AsyncIterableIterator<string>>;
}

/**
 * `subscription { appointmentChanged { event appointment { … } } }`: takes no argument, because the topic
 * follows from the session. The row is read under the subscriber's own row security.
 * `subscription { freeTimeChanged(doctorId: 7) { startsAt endsAt } }`: for whoever may see the doctor.
 */
export const SubscriptionPlugin: GraphileConfig.Plugin = extendSchema((build) => {
  const { appointments } = build.pgResources as Record<string, any>;
  return {
    typeDefs: /* GraphQL */ `
      extend type Subscription {
        """
        Tells of each change to an appointment of the person logged in (or of the department, at reception).
        """
        appointmentChanged: AppointmentChange

        """
        Tells of each change to the free time of a doctor the person logged in may see: when, never for whom.
        A hold that runs out is told when it is tidied up, within a minute or when its time is taken.
        """
        freeTimeChanged(doctorId: BigInt!): FreeTimeChange
      }

      """
      One change to an appointment.
      """
      type AppointmentChange {
        """
        What happened: insert or update.
        """
        event: String!

        """
        The appointment as it is now.
        """
        appointment: Appointment
      }

      """
      A span in which the free time of a doctor has changed.
      """
      type FreeTimeChange {
        """
        The key of the doctor.
        """
        doctorId: BigInt!

        """
        The instant the span starts.
        """
        startsAt: Datetime!

        """
        The instant the span ends, or null when it has no end.
        """
        endsAt: Datetime
      }
    `,
    objects: {
      Subscription: {
        plans: {
          appointmentChanged: {
            subscribePlan: () =>
              listen(context().get('ownEvents' as never) as any, constant('own'), jsonParse),
            plan: ($event: any) => $event,
          },
          freeTimeChanged: {
            subscribePlan: (_$root: any, { $doctorId }: any) =>
              listen(context().get('freeTimeEvents' as never) as any, $doctorId, jsonParse),
            plan: ($event: any) => $event,
          },
        },
      },
      FreeTimeChange: {
        plans: {
          doctorId: ($event: any) => $event.get('doctorId'),
          startsAt: ($event: any) => $event.get('startsAt'),
          endsAt: ($event: any) => $event.get('endsAt'),
        },
      },
      AppointmentChange: {
        plans: {
          event: ($event: any) => $event.get('event'),
          appointment: ($event: any) => appointments.get({ id: $event.get('id') }),
        },
      },
    },
  };
});

/** The events of one identity; subscribing is refused to those who have none. */
export function ownEvents(source: EventSource, pool: Pool, identity: Identity): OwnEvents {
  return {
    async subscribe() {
      const topic = await topicOf(pool, identity);
      return follow(source, topic, identity, async (payload) => {
        const { id } = JSON.parse(payload) as { id: number };
        return standingOf(pool, identity, 'hospital.appointments', id);
      });
    },
  };
}

/** The changes of a doctor's free time, for those who may see the doctor. */
export function freeTimeEvents(source: EventSource, pool: Pool, identity: Identity): FreeTimeEvents {
  return {
    async subscribe(doctorId) {
      if (!identity.expiresAt) throw refusal('UNAUTHENTICATED');
      const standing = (): Promise<Standing> => standingOf(pool, identity, 'hospital.doctors', doctorId);
      const { live, key } = await standing();
      if (!live) throw refusal('UNAUTHENTICATED');
      if (key === null) throw refusal('NOT_FOUND');
      return follow(source, `free_time:doctor:${key}`, identity, standing);
    },
  };
}

async function topicOf(pool: Pool, { claims, expiresAt }: Identity): Promise<string> {
  if (!expiresAt) throw refusal('UNAUTHENTICATED');
  const { rows } = await asCaller(pool, claims, (client) =>
    client.query(
      'select a.role, a.patient_id, a.doctor_id, a.department_id from hospital.current_account() as a',
    ),
  );
  const account = rows[0];
  if (!account?.role) throw refusal('UNAUTHENTICATED');
  if (account.role === 'patient' && account.patient_id) return `appointments:patient:${account.patient_id}`;
  if (account.role === 'doctor' && account.doctor_id) return `appointments:doctor:${account.doctor_id}`;
  if (account.role === 'reception' && account.department_id)
    return `appointments:department:${account.department_id}`;
  throw refusal('FORBIDDEN');
}

/**
 * Passes on the events whose row the session may still see; ends when the session ends, by revocation, by a
 * refresh that gives it another secret, or by the clock. Written out, because a generator cannot be stopped while it waits.
 */
async function follow(
  source: EventSource,
  topic: string,
  identity: Identity,
  standingAt: (payload: string) => Promise<Standing>,
): Promise<AsyncIterableIterator<string>> {
  const ended = await source.subscribe(`session:${identity.claims['infirmary.session_id']}`);
  const events = await source.subscribe(topic);
  const end = (): Promise<unknown> => Promise.resolve(events.return?.());
  const lifetime = (identity.expiresAt?.getTime() ?? 0) - Date.now();
  const expiry = setTimeout(end, lifetime).unref();
  // Where the listening is lost, `next` says so.
  void ended.next().then(end, () => {});
  const finish = async (): Promise<IteratorResult<string>> => {
    clearTimeout(expiry);
    await Promise.all([end(), ended.return?.()]);
    return { done: true, value: undefined };
  };
  const passedOn: AsyncIterableIterator<string> = {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        // A lost connection may have lost events with it, so the client is told to subscribe anew.
        const event = await events.next().catch(() => Promise.reject(refusal('UNAVAILABLE')));
        if (event.done) return finish();
        const { live, key } = await standingAt(event.value);
        if (!live) return finish();
        if (key !== null) return event;
      }
    },
    return: finish,
  };
  return passedOn;
}

/** Whether the session lives, and the key of the row if it may see it. */
interface Standing {
  live: boolean;
  key: string | null;
}

async function standingOf(
  pool: Pool,
  identity: Identity,
  table: 'hospital.appointments' | 'hospital.doctors',
  id: number | string,
): Promise<Standing> {
  const { rows } = await asCaller(pool, identity.claims, (client) =>
    client.query<Standing>(
      `select exists (select from hospital.current_account() as a where a.role is not null) as live,
         (select t.id::text from ${table} as t where t.id = $1::bigint) as key`,
      [id],
    ),
  );
  return rows[0]!;
}
