package coop.sahkar.worker.ring;

import coop.sahkar.worker.engine.StageInbox;
import java.util.concurrent.CopyOnWriteArrayList;

/** The links whose reading is lent to an engine; few, since each serves a session that is alone. */
final class LentLinks {
    private final CopyOnWriteArrayList<SocketLink> links = new CopyOnWriteArrayList<>();

    void add(SocketLink link) {
        links.addIfAbsent(link);
    }

    void remove(SocketLink link) {
        links.remove(link);
    }

    /** Reads what has come for an engine; true if something has. */
    boolean poll(StageInbox engine) {
        boolean came = false;
        for (SocketLink link : links) {
            if (link.lentTo(engine)) {
                came |= link.poll();
            }
        }
        return came;
    }

    /** The engine looks no longer. */
    void takeBack(StageInbox engine) {
        for (SocketLink link : links) {
            if (link.lentTo(engine)) {
                link.takeBack();
            }
        }
    }
}
