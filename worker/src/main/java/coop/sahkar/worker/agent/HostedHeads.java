package coop.sahkar.worker.agent;

import coop.sahkar.proto.SessionId;
import coop.sahkar.proto.Span;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.head.ChatTemplate;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.HeadHost;
import coop.sahkar.worker.store.ShardKey;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The heads that generations can be run from. Two of one model may stand here for a while, when a
 * placement cuts it anew: the ticket says which is meant. Safe for use by many threads.
 */
final class HostedHeads implements HeadHost, HostPorts.Heads {
    private record Place(String modelId, Span span) {
        static Place of(ShardKey key) {
            return new Place(key.modelId(), key.span());
        }
    }

    private final ConcurrentMap<Place, HostedHead> heads = new ConcurrentHashMap<>();

    @Override
    public void register(HostedHead head) {
        heads.put(Place.of(head.key()), head);
    }

    @Override
    public void unregister(ShardKey key) {
        heads.remove(Place.of(key));
    }

    @Override
    public Optional<HeadModel> find(String modelId, Span span) {
        return Optional.ofNullable(heads.get(new Place(modelId, span))).map(Desk::new);
    }

    private record Desk(HostedHead head) implements HeadModel {
        @Override
        public Vocabulary vocabulary() {
            return head.vocabulary();
        }

        @Override
        public ChatTemplate chatTemplate() {
            return head.chatTemplate();
        }

        @Override
        public int contextLength() {
            return head.contextLength();
        }

        @Override
        public boolean start(GenerationStart start) {
            return head.engine().start(start);
        }

        @Override
        public void cancel(SessionId session, int epoch) {
            head.engine().cancel(session, epoch);
        }
    }
}
