package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.GenerateRequest;
import java.nio.ByteBuffer;
import java.security.Key;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The trail of a chat: one link for each message. */
final class ChatTrail implements Trail {
    /** Beginnings of a chat that are looked for: its newest messages may have been edited. */
    private static final int MOST_BEGINNINGS = 16;

    private final Deque<ByteBuffer> beginnings = new ArrayDeque<>();
    private final HashChain chain;

    private ChatTrail(HashChain chain) {
        this.chain = chain;
    }

    static ChatTrail of(Key key, String account, GenerateRequest request) {
        ChatTrail trail = new ChatTrail(new HashChain(key));
        trail.chain.sayWhole("chat");
        trail.chain.sayWhole(account);
        trail.chain.sayWhole(request.getModel());
        for (ChatMessage message : request.getChat().getMessagesList()) {
            trail.begin(message.getRole());
            trail.chain.say(message.getContent());
            trail.end();
        }
        trail.begin("assistant");
        return trail;
    }

    @Override
    public void answer(String text) {
        chain.say(text);
    }

    @Override
    public ByteBuffer answered() {
        return chain.link();
    }

    @Override
    public List<ByteBuffer> beginnings() {
        return List.copyOf(beginnings);
    }

    private void begin(String role) {
        chain.link();
        chain.sayWhole(role);
    }

    private void end() {
        beginnings.addFirst(chain.link());
        if (beginnings.size() > MOST_BEGINNINGS) {
            beginnings.removeLast();
        }
    }
}
