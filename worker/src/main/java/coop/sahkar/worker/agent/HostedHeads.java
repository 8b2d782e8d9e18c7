package coop.sahkar.worker.agent;

import coop.sahkar.proto.SessionId;
import coop.sahkar.worker.engine.Vocabulary;
import coop.sahkar.worker.head.ChatTemplate;
import coop.sahkar.worker.head.GenerationStart;
import coop.sahkar.worker.head.HeadHost;
import coop.sahkar.worker.store.ShardKey;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The heads that generations can be run from. Of two heads of one model the one that came last
 * counts: the other is about to go. Safe for use by many threads.
 */
final class HostedHeads implements HeadHost, HostPorts.Heads {
    private final ConcurrentMap<String, HostedHead> byModel = new ConcurrentHashMap<>();

    @Override
    public void register(HostedHead head) {
        byModel.put(head.key().modelId(), head);
    }

    @Override
    public void unregister(ShardKey key) {
        for (Map.Entry<String, HostedHead> entry : byModel.entrySet()) {
            if (entry.getValue().key().equals(key)) {
                byModel.remove(entry.getKey(), entry.getValue());
            }
        }
    }

    @Override
    public Optional<HeadModel> find(String modelId) {
        return Optional.ofNullable(byModel.get(modelId)).map(Desk::new);
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
        public void cancel(SessionId session) {
            head.engine().cancel(session);
        }
    }
}
