package coop.sahkar.worker.store;

import java.util.concurrent.atomic.AtomicBoolean;

/** Something to be done at most once, however often it is asked for. */
final class Once implements Runnable {
    private final AtomicBoolean done = new AtomicBoolean();
    private final Runnable what;

    private Once(Runnable what) {
        this.what = what;
    }

    static Runnable of(Runnable what) {
        return new Once(what);
    }

    @Override
    public void run() {
        if (done.compareAndSet(false, true)) {
            what.run();
        }
    }
}
