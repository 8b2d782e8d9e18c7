package coop.sahkar.coordinator.gateway;

import java.util.ArrayList;
import java.util.List;

/** A gateway in front of scripted heads, with little patience. */
final class GatewayFixture implements AutoCloseable {
    /** Waits short enough for tests. */
    static final Patience SHORT =
            new Patience(1_000, 500, 2_000, 1_500, 5_000, 700, 20, 100, 300, 200);

    final ScriptedPool pool = new ScriptedPool();
    final Gateway gateway;
    final Caller caller;
    private final List<ScriptedHead> heads = new ArrayList<>();

    GatewayFixture() {
        this(SHORT);
    }

    GatewayFixture(Patience patience) {
        gateway = Gateway.start(pool, GatewayOptions.defaults().at("127.0.0.1", 0).with(patience));
        caller = new Caller(gateway.url());
    }

    ScriptedHead head(String worker, ScriptedHead.Script script) {
        ScriptedHead head = new ScriptedHead(script);
        heads.add(head);
        pool.add(worker, head.endpoint());
        return head;
    }

    /** A chat request with more fields after the usual ones, each led by a comma. */
    static String chat(String more) {
        return """
        {"model":"%s","messages":[{"role":"user","content":"What is a worker?"}]%s}\
        """
                .formatted(ScriptedPool.NAME, more);
    }

    @Override
    public void close() {
        caller.close();
        gateway.close();
        for (ScriptedHead head : heads) {
            head.close();
        }
    }
}
