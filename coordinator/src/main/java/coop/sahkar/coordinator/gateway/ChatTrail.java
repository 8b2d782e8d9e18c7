package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.ChatMessage;
import coop.sahkar.proto.v1.GenerateRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import javax.crypto.Mac;

/**
 * One chat as hashes, a chain of one for each message: account and model come first, and each
 * message is hashed with all before it. The hash is keyed, with a key of this process, so that what
 * is kept of a chat neither shows nor lets others test what was said. The answer is hashed as it
 * passes. Owned by one thread.
 */
final class ChatTrail {
    /** The hash; its key is of the same kind. */
    static final String ALGORITHM = "HmacSHA256";

    /** Beginnings of a chat that are looked for: its newest messages may have been edited. */
    private static final int MOST_BEGINNINGS = 16;

    private final Deque<ByteBuffer> beginnings = new ArrayDeque<>();
    private final Mac mac;

    private ChatTrail(Key key) {
        try {
            this.mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("every Java has " + ALGORITHM, e);
        }
    }

    /**
     * Hashes a request's chat.
     *
     * @param account whose chat it is: nobody goes on in another's
     */
    static ChatTrail of(Key key, String account, GenerateRequest request) {
        ChatTrail trail = new ChatTrail(key);
        trail.text(account);
        trail.text(request.getModel());
        for (ChatMessage message : request.getChat().getMessagesList()) {
            trail.begin(message.getRole());
            trail.mac.update(message.getContent().getBytes(StandardCharsets.UTF_8));
            trail.end();
        }
        trail.begin("assistant");
        return trail;
    }

    /** The answer goes on. */
    void answer(String text) {
        mac.update(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The hash of the chat with its answer, which is complete. */
    ByteBuffer answered() {
        return ByteBuffer.wrap(mac.doFinal());
    }

    /** The hashes of the chat's beginnings, the longest first. */
    List<ByteBuffer> beginnings() {
        return List.copyOf(beginnings);
    }

    private void begin(String role) {
        byte[] before = mac.doFinal();
        mac.update(before);
        text(role);
    }

    private void end() {
        byte[] hash = mac.doFinal();
        mac.update(hash);
        beginnings.addFirst(ByteBuffer.wrap(hash));
        if (beginnings.size() > MOST_BEGINNINGS) {
            beginnings.removeLast();
        }
    }

    /** With its length, so that two texts cannot pass for two others. */
    private void text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
        mac.update(bytes);
    }
}
