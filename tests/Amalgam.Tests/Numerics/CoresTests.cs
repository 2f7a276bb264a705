using System.Diagnostics;
using Amalgam.Numerics;

namespace Amalgam.Tests.Numerics;

public class CoresTests
{
    [Fact]
    public void Every_part_is_done_once() => Property.Holds(generator =>
    {
        int[] done = new int[generator.Random.Next(200)];
        Cores.For(done.Length, done, static (s, part) => Interlocked.Increment(ref s[part]));
        Assert.All(done, times => Assert.Equal(1, times));
    }, runs: 1000);

    [Fact]
    public void Ranges_cover_the_whole_without_overlap() => Property.Holds(generator =>
    {
        int[] done = new int[generator.Random.Next(2000)];
        Cores.ForRange(done.Length, 1 + generator.Random.Next(100), done, static (s, from, to) =>
        {
            for (int i = from; i < to; i++) Interlocked.Increment(ref s[i]);
        });
        Assert.All(done, times => Assert.Equal(1, times));
    });

    [Fact]
    public void A_part_may_itself_ask_for_parts()
    {
        int[] done = new int[64];
        Cores.For(8, done, static (s, part) => Cores.For(8, (s, part), static (t, inner) => Interlocked.Increment(ref t.s[t.part * 8 + inner])));
        Assert.All(done, times => Assert.Equal(1, times));
    }

    [Fact]
    public void Many_threads_may_ask_at_once() => Parallel.For(0, 200, _ =>
    {
        int[] done = new int[100];
        Cores.For(done.Length, done, static (s, part) => Interlocked.Increment(ref s[part]));
        Assert.All(done, times => Assert.Equal(1, times));
    });

    [Fact]
    public void A_failure_of_the_caller_is_thrown_on()
    {
        for (int i = 0; i < 20; i++)
        {
            Exception e = Assert.ThrowsAny<Exception>(() => Cores.For(50, 0, static (_, part) => throw new InvalidOperationException($"part {part}")));
            Assert.StartsWith("part", Assert.IsType<InvalidOperationException>(e).Message);
        }
    }

    [Fact]
    public void The_threads_go_on_after_one_of_them_failed()
    {
        Assert.SkipWhen(Cores.Count == 1, "there is one core");
        int failures = 0;
        bool Several() => Tries().Any(_ =>
        {
            int[] threads = new int[64];
            Cores.For(threads.Length, threads, static (s, part) =>
            {
                Thread.SpinWait(20_000);
                s[part] = Environment.CurrentManagedThreadId;
            });
            return threads.Distinct().Count() > 1;
        });

        // Other tests may hold the threads at any moment, so a call alone says nothing.
        foreach (int _ in Tries())
        {
            Exception? e = Record.Exception(() => Cores.For(50, Environment.CurrentManagedThreadId, static (caller, part) =>
            {
                Thread.SpinWait(20_000);
                if (caller != Environment.CurrentManagedThreadId) throw new InvalidOperationException($"part {part}");
            }));
            if (e is null) continue;
            Assert.StartsWith("part", Assert.IsType<InvalidOperationException>(e).Message);
            Assert.True(Several(), "the threads are gone after a failure");
            if (++failures == 3) return;
        }

        Assert.Fail("no other thread ever took part");
    }

    /// <summary>Numbers over twenty seconds at most.</summary>
    private static IEnumerable<int> Tries()
    {
        Stopwatch watch = Stopwatch.StartNew();
        for (int i = 0; watch.Elapsed.TotalSeconds < 20; i++)
        {
            yield return i;
            Thread.Sleep(1);
        }
    }

    [Fact]
    public void A_limit_of_one_keeps_everything_on_the_caller()
    {
        using CoreLimit limit = Cores.Limit(1);
        Assert.Equal(1, Cores.Count);
        int[] threads = new int[100];
        Cores.For(threads.Length, threads, static (s, part) => s[part] = Environment.CurrentManagedThreadId);
        Assert.All(threads, id => Assert.Equal(Environment.CurrentManagedThreadId, id));
    }

    [Fact]
    public void Nothing_is_allocated_when_warm()
    {
        int[] done = new int[1000];
        long Bytes()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++) Cores.For(done.Length, done, static (s, part) => s[part]++);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Bytes();
        Assert.Equal(0, Bytes());
    }
}
