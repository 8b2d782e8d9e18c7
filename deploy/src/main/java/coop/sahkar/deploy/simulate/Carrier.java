package coop.sahkar.deploy.simulate;

import coop.sahkar.worker.engine.StageMessage;
import org.jspecify.annotations.Nullable;

/** What becomes of a message between two stages before the network has it. */
@FunctionalInterface
interface Carrier {
    /** It stays what it is, as everywhere but in tests: a bad one must be noticed. */
    Carrier HONEST = message -> message;

    /** The message that is sent instead; null for none. */
    @Nullable StageMessage carry(StageMessage message);
}
