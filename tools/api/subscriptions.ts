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
  subscribe(topic: string): AsyncIterableIterator<string>;
}

/** What GraphQL's context offers to a subscription: the events of whoever is asking, and of nobody else. */
export interface OwnEvents {
  subscribe(): Promise<AsyncIterableIterator<string>>;
}

/**
 * `subscription { appointmentChanged { event appointment { … } } }`: takes no argument, because the topic
 * follows from the session. The row is read under the subscriber's own row security.
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
    `,
    objects: {
      Subscription: {
        plans: {
          appointmentChanged: {
            subscribePlan: () =>
              listen(context().get('ownEvents' as never) as any, constant('own'), jsonParse),
            plan: ($event: any) => $event,
          },
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
      return follow(source.subscribe(topic), pool, identity);
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
 * Passes on the events whose row the session may still see; ends when the session ends, by revocation
 * (noticed at the next event) or by the clock. Written out, because a generator cannot be stopped while it waits.
 */
function follow(
  events: AsyncIterableIterator<string>,
  pool: Pool,
  identity: Identity,
): AsyncIterableIterator<string> {
  const end = (): Promise<unknown> => Promise.resolve(events.return?.());
  const lifetime = (identity.expiresAt?.getTime() ?? 0) - Date.now();
  const expiry = setTimeout(end, lifetime).unref();
  const finish = async (): Promise<IteratorResult<string>> => {
    clearTimeout(expiry);
    await end();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        // A lost connection may have lost events with it, so the client is told to subscribe anew.
        const event = await events.next().catch(() => Promise.reject(refusal('UNAVAILABLE')));
        if (event.done) return finish();
        const standing = await standingOf(pool, identity, event.value);
        if (!standing.live) return finish();
        if (standing.visible) return event;
      }
    },
    return: finish,
  };
}

async function standingOf(
  pool: Pool,
  identity: Identity,
  payload: string,
): Promise<{ live: boolean; visible: boolean }> {
  const { id } = JSON.parse(payload) as { id: number };
  const { rows } = await asCaller(pool, identity.claims, (client) =>
    client.query(
      `select exists (select from hospital.current_account() as a where a.role is not null) as live,
         exists (select from hospital.appointments as a where a.id = $1::bigint) as visible`,
      [id],
    ),
  );
  return rows[0];
}
