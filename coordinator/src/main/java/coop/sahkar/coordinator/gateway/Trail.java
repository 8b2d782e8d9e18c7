package coop.sahkar.coordinator.gateway;

import coop.sahkar.coordinator.Secret;
import coop.sahkar.proto.v1.GenerateRequest;
import coop.sahkar.proto.v1.Started;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was said to a model, as a chain of hashes by which its continuation is known again. Account
 * and model come first, and each link is hashed with all before it. The hashes are keyed, with a
 * key of this process, so that what is kept neither shows nor lets others test what was said. The
 * answer is hashed as it passes. Owned by one thread.
 */
sealed interface Trail permits ChatTrail, PromptTrail {
    /**
     * Hashes what a request says.
     *
     * @param account whose request it is: nobody goes on in another's
     */
    static Trail of(Secret key, String account, GenerateRequest request) {
        HashChain chain = new HashChain(key);
        chain.sayWhole(request.hasChat() ? "chat" : "prompt");
        chain.sayWhole(account);
        chain.sayWhole(request.getModel());
        return request.hasChat()
                ? ChatTrail.of(chain, request.getChat())
                : PromptTrail.of(chain, request.getPrompt());
    }

    /** The answer begins: how its model writes calls is known. */
    void started(Started started);

    /** The answer goes on. */
    void answer(String text);

    /**
     * Where a request that goes on is to look, now that the answer is complete; null when all is
     * too short for that.
     */
    @Nullable ByteBuffer answered();

    /** Hashes of the beginnings that may have been answered before, the longest first. */
    List<ByteBuffer> beginnings();
}
