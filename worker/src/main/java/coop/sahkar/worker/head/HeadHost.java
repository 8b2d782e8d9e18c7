package coop.sahkar.worker.head;

import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Vocabulary;
import java.util.Optional;

/** What whoever hosts this worker's shards offers to the head service. Safe for many threads. */
public interface HeadHost {
    /** The head with these blocks of the model, if this worker serves it now. */
    Optional<HeadModel> find(String modelId, Span span);

    /** One model's head at work. */
    interface HeadModel {
        Vocabulary vocabulary();

        ChatTemplate chatTemplate();

        /** Longest context, in positions, that this head takes. */
        int contextLength();

        /** Hands a generation to the engine; false when its mailbox is full. */
        boolean start(GenerationStart start);

        /**
         * Gives a generation up and frees its KV in all stages.
         *
         * @param epoch in which it was started here
         */
        void cancel(SessionId session, int epoch);
    }
}
