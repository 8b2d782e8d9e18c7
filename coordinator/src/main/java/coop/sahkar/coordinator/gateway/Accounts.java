package coop.sahkar.coordinator.gateway;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.server.ServiceRequestContext;
import coop.sahkar.coordinator.accounts.Caller;
import coop.sahkar.coordinator.accounts.Doorkeeper;
import io.netty.util.AttributeKey;
import java.util.Objects;

/** Whose a request is: found out at the door, and remembered with the request. */
final class Accounts {
    /** Where some SDKs put the key. */
    static final String API_KEY = "x-api-key";

    private static final AttributeKey<Caller> CALLER =
            AttributeKey.valueOf(Accounts.class, "CALLER");

    private Accounts() {}

    /** Whose a request is that came through the door. */
    static Caller of(ServiceRequestContext context) {
        return Objects.requireNonNull(context.attr(CALLER), "nobody was asked for a key");
    }

    /** Finds out whose it is, and remembers that if it is somebody who may ask. */
    static Doorkeeper.Entry identify(Doorkeeper doorkeeper, ServiceRequestContext context) {
        RequestHeaders headers = context.request().headers();
        Doorkeeper.Entry entry =
                doorkeeper.identify(
                        headers.get(HttpHeaderNames.AUTHORIZATION),
                        headers.get(API_KEY),
                        context.clientAddress());
        if (entry instanceof Doorkeeper.Entry.Known(Caller caller)) {
            context.setAttr(CALLER, caller);
        }
        return entry;
    }
}
