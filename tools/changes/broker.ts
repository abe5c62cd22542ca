import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { codeOf, Failure } from '../failure.ts';

/** Where to publish: MQTT_URL, and MQTT_CA_FILE for a broker whose certificate no public authority signed. */
export interface BrokerAddress {
  url: string;
  caFile?: string;
}

export interface Message {
  topic: string;
  payload: string;
}

/** A connection to a message broker that ends when it breaks, and is never mended behind our back. */
export interface Broker {
  /**
   * Sends messages in order and resolves when the broker has acknowledged every one (QoS 1).
   * @throws Error when the connection breaks first: any of them may or may not have arrived
   */
  publish(messages: readonly Message[]): Promise<void>;
  end(): Promise<void>;
}

/**
 * Connects to an MQTT broker.
 * @param name what the broker knows us by; a second connection of that name ends the first
 */
export async function connectBroker({ url, caFile }: BrokerAddress, name: string): Promise<Broker> {
  const options: mqtt.IClientOptions = {
    clientId: name,
    clean: true,
    connectTimeout: 10_000,
    // What was not acknowledged is read from the database again, in order. The library would send it once more
    // from its memory, out of order, after what came later.
    reconnectPeriod: 0,
    ...(caFile && { ca: readFileSync(caFile) }),
  };
  const client = await mqtt.connectAsync(url, options, false).catch((error: unknown) => {
    // Not the error's own text: it may quote the URL, and that has a password in it.
    throw new Failure(`The message broker cannot be reached (${codeOf(error) ?? 'no code'}).`, 'Check MQTT_URL.');
  });
  const lost = new Promise<never>((_, reject) => {
    client.on('error', (error) => reject(new BrokerLost(codeOf(error))));
    client.on('close', () => reject(new BrokerLost()));
  });
  // Nobody need be publishing when it breaks.
  lost.catch(() => {});
  return {
    publish: async (messages) => {
      const sent = messages.map(({ topic, payload }) => client.publishAsync(topic, payload, { qos: 1 }));
      await Promise.race([Promise.all(sent), lost]);
    },
    end: () => client.endAsync(true),
  };
}

class BrokerLost extends Failure {
  constructor(code = 'closed') {
    super(`The connection to the message broker was lost (${code}).`);
    this.name = 'BrokerLost';
  }
}
