package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.server.ServiceRequestContext;
import org.jspecify.annotations.Nullable;

/** Whom a request takes its turn for. */
final class Accounts {
    private Accounts() {}

    /**
     * The account of a caller without a key: the address it comes from. It decides whose turn it is
     * and whose chats go on; workers learn a mark of it only.
     */
    static String of(@Nullable ServiceRequestContext context) {
        return context == null ? "" : context.clientAddress().getHostAddress();
    }
}
