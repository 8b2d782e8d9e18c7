package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.Chat;
import coop.sahkar.proto.v1.ChatMessage;
import java.nio.ByteBuffer;
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

    /** Goes on in a chain that has said whose chat it is and with which model. */
    static ChatTrail of(HashChain chain, Chat chat) {
        ChatTrail trail = new ChatTrail(chain);
        for (ChatMessage message : chat.getMessagesList()) {
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
