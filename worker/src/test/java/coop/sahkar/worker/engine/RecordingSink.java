package coop.sahkar.worker.engine;

import coop.sahkar.proto.Problem;
import coop.sahkar.proto.SealedTicket;
import coop.sahkar.proto.Ticket;
import coop.sahkar.worker.head.GenerationEnd;
import coop.sahkar.worker.head.GenerationSink;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keeps what a generation reports and checks that it comes in order. */
public class RecordingSink implements GenerationSink {
    public final List<Integer> tokens = new ArrayList<>();
    public final List<Ticket> routes = new ArrayList<>();
    public final StringBuilder text = new StringBuilder();
    public final List<Integer> prefilled = new ArrayList<>();
    public volatile @Nullable GenerationEnd end;
    public volatile @Nullable Problem problem;
    public volatile boolean noSpare;
    public volatile boolean leaving;
    public volatile String culprit = "";
    private int nextPosition = -1;

    @Override
    public void prefilled(int positions) {
        stillRuns();
        prefilled.add(positions);
    }

    @Override
    public void delta(int position, int[] committed, String shown) {
        stillRuns();
        if (nextPosition >= 0 && position != nextPosition) {
            throw new AssertionError("position " + position + " after " + nextPosition);
        }
        nextPosition = position + committed.length;
        for (int token : committed) {
            tokens.add(token);
        }
        text.append(shown);
    }

    @Override
    public void rerouted(SealedTicket route, long repairMicros) {
        stillRuns();
        routes.add(route.ticket());
    }

    @Override
    public void leaving() {
        stillRuns();
        leaving = true;
    }

    @Override
    public void finished(GenerationEnd how) {
        stillRuns();
        end = how;
    }

    @Override
    public void noSpare(Problem why, String workerId) {
        noSpare = true;
        failed(why, workerId);
    }

    @Override
    public void failed(Problem why, String workerId) {
        stillRuns();
        culprit = workerId;
        problem = why;
    }

    public boolean over() {
        return end != null || problem != null;
    }

    private void stillRuns() {
        if (over()) {
            throw new AssertionError("a word after the last");
        }
    }
}
