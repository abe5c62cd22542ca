import type { Client } from 'pg';
import { readSecrets } from '../../cluster/secrets.ts';
import { withClient } from '../../database.ts';
import { type Child, startChild } from '../child.ts';
import { countStatements, explainStatements } from '../evidence.ts';
import type { Ratio } from '../comparison.ts';
import { busiestDoctor, frequentPatient, type Person, startSession } from '../people.ts';
import { connections, requestContender, type RequestContender, requestFigures, type Requests, type Served } from '../requests.ts';
import type { Opening } from '../served.ts';
import type { Bench, Suite } from '../suite.ts';

const generated = 'generated API';
const handWritten = 'written by hand';
const perField = 'query per field';

/** The servers compared, each in a process of its own. */
const files = { [generated]: 'api-server.ts', [handWritten]: 'hand-written-server.ts', [perField]: 'per-field-server.ts' };

/** A question to all of the servers. */
interface Scenario {
  title: string;
  documentId: string;
  person: Person;
  variables: Record<string, string>[];
  /** The part of the usual number of requests that fills a round long enough. */
  part: number;
  /** Least rates of the generated API, as multiples of those of the server by hand and of the one with a query per field. */
  aims: { handWritten: number; perField?: number };
}

export const api: Suite = {
  name: 'api',
  about:
    `The generated API against a small server written by hand, and against one with a query per field: the same JSON, ` +
    `session, role and row security; ${connections} connections in a closed loop; client, server and PostgreSQL share the CPUs.`,
  async run(bench) {
    const { database } = bench;
    const { jwtKeys } = readSecrets(database.settings);
    const children: Child[] = [];
    const start = (file: string): Child => {
      const child = startChild(file);
      children.push(child);
      return child;
    };
    try {
      const load = start('load.ts');
      const opening: Opening = { databaseUrl: database.url('hospital_authenticator'), jwtKeys, poolSize: connections };
      const servers: Served[] = [];
      for (const [name, file] of Object.entries(files)) {
        const child = start(file);
        servers.push({ name, child, url: await child.call<string>('open', opening) });
      }
      await withClient(database.url('hospital_owner'), async (owner) => {
        for (const scenario of await chooseScenarios(owner)) {
          const { token } = await startSession(owner, scenario.person, jwtKeys);
          const { documentId, variables } = scenario;
          const requests: Requests = { documentId, variables, token, count: Math.ceil(bench.requests * scenario.part) };
          const contenders = servers.map((server) => requestContender(database, load, server, requests));
          await compare(bench, scenario, contenders);
        }
      });
    } finally {
      for (const child of children.toReversed()) await child.stop();
    }
  },
};

async function compare(bench: Bench, scenario: Scenario, contenders: RequestContender[]): Promise<void> {
  const ratio = (to: string, aim?: number): Ratio => ({ figure: 'rate', of: generated, to, ...(aim && { aim }) });
  const named = (name: string): RequestContender => contenders.find((contender) => contender.name === name)!;
  await bench.measure({
    title: `${scenario.title}, as hospital_${scenario.person.role}`,
    figures: requestFigures,
    contenders,
    ratios: [ratio(handWritten, scenario.aims.handWritten), ratio(perField, scenario.aims.perField)],
    rounds: bench.rounds,
    warmUp: 2,
    notes: async () => contenders.map((each) => `${each.name}: ${countStatements(each.recording())} per request`),
    explain: (missed) => {
      const names = [...new Set(missed.flatMap(({ of, to }) => [of, to]))];
      return explain(bench, names.map(named));
    },
  });
}

/** Plan and profile of each side of a missed aim. */
async function explain({ database }: Bench, contenders: RequestContender[]): Promise<string[]> {
  const lines: string[] = [];
  for (const contender of contenders) {
    const plans = await withClient(database.url('hospital_authenticator'), (client) =>
      explainStatements(client, contender.recording()),
    );
    lines.push(`${contender.name}:`, ...(await contender.profile()), ...plans);
  }
  return lines;
}

async function chooseScenarios(owner: Client): Promise<Scenario[]> {
  const [doctor, patient] = [await busiestDoctor(owner), await frequentPatient(owner)];
  const { rows } = await owner.query<{ id: string }>(
    'select id from hospital.appointments where doctor_id = $1 order by starts_at desc, id desc limit 50',
    [doctor.id],
  );
  return [
    {
      title: 'Lookup: one appointment by its key',
      documentId: 'lookup',
      person: doctor,
      variables: rows,
      part: 1,
      aims: { handWritten: 0.5 },
    },
    {
      title: 'List: 20 appointments of a doctor with the patients’ names',
      documentId: 'list',
      person: doctor,
      variables: [{ doctorId: doctor.id! }],
      part: 0.25,
      aims: { handWritten: 0.6, perField: 2 },
    },
    {
      title: 'Three levels: 10 appointments of a patient with doctor, visit, prescriptions and treatments',
      documentId: 'levels',
      person: patient,
      variables: [{ patientId: patient.id! }],
      part: 0.25,
      aims: { handWritten: 0.6, perField: 3 },
    },
  ];
}
