import { openOwnServer } from './own-server.ts';
import { beServed } from './served.ts';

/** The form in which the generated API writes instants. */
const instant = (column: string): string => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM')`;

/** One statement per document, written by somebody who knows the tables: the whole answer is made by SQL. */
const documents: Record<string, { variable: string; text: string }> = {
  lookup: {
    variable: 'id',
    text: `
      select json_build_object('appointment', (
        select json_build_object(
          'id', a.id::text,
          'startsAt', ${instant('a.starts_at')},
          'endsAt', ${instant('a.ends_at')},
          'status', a.status,
          'reason', a.reason
        )
        from hospital.appointments as a
        where a.id = $1::bigint
      ))::text as data`,
  },
  list: {
    variable: 'doctorId',
    text: `
      select json_build_object('appointments', json_build_object('nodes', coalesce(json_agg(
        json_build_object(
          'id', a.id::text,
          'startsAt', ${instant('a.starts_at')},
          'status', a.status,
          'patient', case when p.id is not null then json_build_object(
            'id', p.id::text,
            'fullName', p.given_name || ' ' || p.family_name
          ) end
        )
        order by a.starts_at desc, a.id desc
      ), '[]')))::text as data
      from (
        select *
        from hospital.appointments
        where doctor_id = $1::bigint
        order by starts_at desc, id desc
        limit 20
      ) as a
      left join hospital.patients as p
        on p.id = a.patient_id`,
  },
  levels: {
    variable: 'patientId',
    text: `
      select json_build_object('appointments', json_build_object('nodes', coalesce(json_agg(
        json_build_object(
          'id', a.id::text,
          'startsAt', ${instant('a.starts_at')},
          'doctor', case when d.id is not null then json_build_object(
            'id', d.id::text,
            'specialization', d.specialization,
            'fullName', m.given_name || ' ' || m.family_name
          ) end,
          'visit', case when v.id is not null then json_build_object(
            'id', v.id::text,
            'diagnosis', v.diagnosis,
            'prescriptions', json_build_object('nodes', (
              select coalesce(json_agg(json_build_object(
                'id', p.id::text, 'dosage', p.dosage, 'durationDays', p.duration_days
              ) order by p.id), '[]')
              from (
                select * from hospital.prescriptions where visit_id = v.id order by id limit 20
              ) as p
            )),
            'treatments', json_build_object('nodes', (
              select coalesce(json_agg(json_build_object(
                'id', t.id::text, 'type', t.type, 'cost', t.cost::text, 'outcome', t.outcome
              ) order by t.id), '[]')
              from (
                select * from hospital.treatments where visit_id = v.id order by id limit 20
              ) as t
            ))
          ) end
        )
        order by a.starts_at desc, a.id desc
      ), '[]')))::text as data
      from (
        select *
        from hospital.appointments
        where patient_id = $1::bigint
        order by starts_at desc, id desc
        limit 10
      ) as a
      left join hospital.doctors as d
        on d.id = a.doctor_id
      left join hospital.staff_members as m
        on m.id = d.staff_member_id
      left join hospital.visits as v
        on v.appointment_id = a.id`,
  },
};

beServed((opening) =>
  openOwnServer(opening, async (client, documentId, variables) => {
    const { text, variable } = documents[documentId]!;
    // Named, so that each connection parses and plans it once, as the generated API does.
    const { rows } = await client.query({ name: documentId, text, values: [variables[variable]] });
    return rows[0].data;
  }),
);
