using System.Diagnostics;
using Amalgam.Alignment;
using Amalgam.Checkpoints;
using Amalgam.Merging;
using Amalgam.Training;
using Amalgam.Zoo.Runs;

namespace Amalgam.Cli;

/// <summary>
/// How far long work has come, on the error output: a line that rewrites itself on a terminal, a line every few seconds elsewhere, nothing when quiet. May be
/// called from any thread, as often as one likes.
/// </summary>
/// <param name="error">Where it goes.</param>
/// <param name="quiet">Says nothing at all.</param>
internal sealed class Progress(TextWriter error, bool quiet) : IProgress<CopyProgress>, IProgress<MergeProgress>, IProgress<TrainingProgress>, IProgress<AlignmentProgress>, IProgress<TransferProgress>, IDisposable
{
    private const int BarWidth = 20, WhatWidth = 28;
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(100), PlainInterval = TimeSpan.FromSeconds(5);

    private readonly bool _live = Screen.CanRewrite(error);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _gate = new();
    private TimeSpan _next = Screen.CanRewrite(error) ? LiveInterval : PlainInterval;
    private bool _lineIsOpen;
    private string _stage = "";
    private TimeSpan _began;

    /// <summary>Says how far the work has come.</summary>
    /// <param name="done">Bytes that are done.</param>
    /// <param name="total">Bytes of the whole work.</param>
    /// <param name="what">What is at work, such as a tensor's name.</param>
    /// <param name="stage">Which of several works this is; each has its own speed.</param>
    /// <param name="found">Of <paramref name="done"/>, what was there when the work began.</param>
    public void Report(long done, long total, string what, string stage = "", long found = 0)
    {
        if (quiet) return;
        lock (_gate)
        {
            TimeSpan time = _clock.Elapsed;
            if (stage != _stage) (_stage, _began) = (stage, time);
            if (IsDue()) Show(Line(done, total, what, time - _began, _live, found));
        }
    }

    /// <summary>Says how many things of one kind are done.</summary>
    /// <param name="what">What was done to them, such as <c>evaluated</c>.</param>
    /// <param name="done">How many are done.</param>
    /// <param name="total">How many there are.</param>
    public void Report(string what, long done, long total)
    {
        if (quiet) return;
        lock (_gate)
        {
            if (IsDue()) Show($"{Bar((double)done / Math.Max(1, total), _live)}  {what} {done:N0} of {total:N0}");
        }
    }

    public void Report(CopyProgress value) => Report(value.DoneBytes, value.TotalBytes, value.Tensor);

    public void Report(MergeProgress value) => Report(value.Done, value.Total, value.Stage, value.Stage, value.Found);

    public void Report(TrainingProgress value)
    {
        if (quiet) return;
        lock (_gate)
        {
            if (IsDue()) Show(Line(value, _live));
        }
    }

    public void Report(TransferProgress value)
    {
        if (quiet) return;
        lock (_gate)
        {
            if (IsDue()) Show(Line(value, _live));
        }
    }

    public void Report(AlignmentProgress value) => Report(value.Phase, value.Done, value.Total);

    /// <summary>Writes a line to an output that stays, above the one that rewrites itself.</summary>
    public void Write(TextWriter output, string line)
    {
        lock (_gate)
        {
            Clear();
            output.WriteLine(line);
        }
    }

    /// <summary>Takes the line off the terminal.</summary>
    public void Dispose()
    {
        lock (_gate) Clear();
    }

    private void Clear()
    {
        if (_lineIsOpen) error.Write("\r\e[K");
        _lineIsOpen = false;
    }

    /// <summary>Whether enough time has passed since the last line; if so the next one counts from now.</summary>
    private bool IsDue()
    {
        TimeSpan time = _clock.Elapsed;
        if (time < _next) return false;
        _next = time + (_live ? LiveInterval : PlainInterval);
        return true;
    }

    private void Show(string line)
    {
        if (_live) error.Write($"\r{line}\e[K");
        else error.WriteLine(line);
        _lineIsOpen = _live;
    }

    /// <summary>For example <c>[####----------------]  23%  epoch 3/10  loss 0.1234  96.21% right  5,120/s  0:42 left</c>.</summary>
    internal static string Line(TrainingProgress p, bool bar)
    {
        string right = p.Accuracy is { } accuracy ? $"  {100 * accuracy:0.00}% right" : "";
        return $"{Bar((double)p.Step / Math.Max(1, p.Steps), bar)}  epoch {p.Epoch}/{p.Epochs}  loss {p.Loss:0.0000}{right}  {p.SamplesPerSecond:N0}/s  {Duration(p.TimeLeft.TotalSeconds)} left";
    }

    /// <summary>For example <c>[####----------------]  23%  a: epoch 3/10 loss 0.1234, b: epoch 2/8 loss 0.5678  0:42 left</c>, of the whole run.</summary>
    internal static string Line(TransferProgress p, bool bar)
    {
        string alone = p.Alone is var (number, count) ? $" by itself ({number} of {count})" : "";
        var each = p.Networks.Select(network => $"{network.Name}{alone}: epoch {network.Training.Epoch}/{network.Training.Epochs} loss {network.Training.Loss:0.0000}");
        return $"{Bar(p.Share, bar)}  {string.Join(", ", each)}  {Duration(p.TimeLeft.TotalSeconds)} left";
    }

    private static string Bar(double share, bool drawn)
    {
        share = Math.Clamp(share, 0, 1);
        int filled = (int)(share * BarWidth);
        return $"{(drawn ? $"[{new string('#', filled)}{new string('-', BarWidth - filled)}] " : "")}{(int)(share * 100),3}%";
    }

    /// <summary>For example <c>[#########-----------]  45%  512 MB/s  0:12 left  layers.3.weight</c>.</summary>
    internal static string Line(long done, long total, string what, TimeSpan time, bool bar, long found = 0)
    {
        double share = total > 0 ? (double)done / total : 1;
        double perSecond = (done - found) / Math.Max(time.TotalSeconds, 1e-3);
        string left = done > found && time.TotalSeconds > 1 ? Duration((total - done) / perSecond) : "-:--";
        return $"{Bar(share, bar)}  {ByteSize.Text((long)perSecond)}/s  {left} left  {Printable.Short(what, WhatWidth)}";
    }

    private static string Duration(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(Math.Min(Math.Ceiling(seconds), 359_999));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes}:{time.Seconds:00}";
    }
}
