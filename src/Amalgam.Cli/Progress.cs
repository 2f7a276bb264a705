using System.Diagnostics;
using Amalgam.Checkpoints;
using Amalgam.Merging;

namespace Amalgam.Cli;

/// <summary>
/// How far long work has come, on the error output: a line that rewrites itself on a terminal, a line every few seconds elsewhere, nothing when quiet. May be
/// called from any thread, as often as one likes.
/// </summary>
/// <param name="error">Where it goes.</param>
/// <param name="quiet">Says nothing at all.</param>
internal sealed class Progress(TextWriter error, bool quiet) : IProgress<CopyProgress>, IProgress<MergeProgress>, IDisposable
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
            if (time < _next) return;
            _next = time + (_live ? LiveInterval : PlainInterval);
            string line = Line(done, total, what, time - _began, _live, found);
            if (_live) error.Write($"\r{line}\e[K");
            else error.WriteLine(line);
            _lineIsOpen = _live;
        }
    }

    public void Report(CopyProgress value) => Report(value.DoneBytes, value.TotalBytes, value.Tensor);

    public void Report(MergeProgress value) => Report(value.Done, value.Total, value.Stage, value.Stage, value.Found);

    /// <summary>Takes the line off the terminal.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_lineIsOpen) error.Write("\r\e[K");
            _lineIsOpen = false;
        }
    }

    /// <summary>For example <c>[#########-----------]  45%  512 MB/s  0:12 left  layers.3.weight</c>.</summary>
    internal static string Line(long done, long total, string what, TimeSpan time, bool bar, long found = 0)
    {
        double share = total > 0 ? Math.Clamp((double)done / total, 0, 1) : 1;
        double perSecond = (done - found) / Math.Max(time.TotalSeconds, 1e-3);
        int filled = (int)(share * BarWidth);
        string drawn = bar ? $"[{new string('#', filled)}{new string('-', BarWidth - filled)}] " : "";
        string left = done > found && time.TotalSeconds > 1 ? Duration((total - done) / perSecond) : "-:--";
        return $"{drawn}{(int)(share * 100),3}%  {ByteSize.Text((long)perSecond)}/s  {left} left  {Printable.Short(what, WhatWidth)}";
    }

    private static string Duration(double seconds)
    {
        TimeSpan time = TimeSpan.FromSeconds(Math.Min(Math.Ceiling(seconds), 359_999));
        return time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes}:{time.Seconds:00}";
    }
}
